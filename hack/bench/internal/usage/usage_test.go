package usage

import (
	"errors"
	"testing"
)

func TestHighWaterIsTheLineOfItsName(t *testing.T) {
	tests := []struct {
		name, status string
		want         int64
		err          bool
	}{
		{name: "among others", status: "VmPeak:\t 9 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 7 kB\n", want: 1234 * 1024},
		{name: "absent", status: "VmPeak:\t 9 kB\n", err: true},
		{name: "in another unit", status: "VmHWM:\t 9 MB\n", err: true},
		{name: "no number", status: "VmHWM:\t x kB\n", err: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := highWater(test.status)
			if (err != nil) != test.err || got != test.want {
				t.Errorf("got %d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestAMeterSeesWhatIsAllocated(t *testing.T) {
	meter, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	kept := make([][]byte, 100)
	for i := range kept {
		kept[i] = make([]byte, 10_000)
	}
	got, err := meter.Read()
	if err != nil {
		t.Fatal(err)
	}
	if got.Allocs < 100 || got.Bytes < 1_000_000 || got.Wall <= 0 || got.CPU < 0 {
		t.Errorf("after 100 allocations of 10 kB: %+v", got)
	}
	kept[0][0] = 1
}

func TestThePeakIsNotBelowWhatIsLive(t *testing.T) {
	live := LiveHeap()
	peak, peakErr := PeakRSS()
	_, err := Start()
	if err := errors.Join(peakErr, err); err != nil {
		t.Fatal(err)
	}
	if live <= 0 || peak < live/2 {
		t.Errorf("%d bytes live, peak %d", live, peak)
	}
}
