package contest

import (
	"testing"

	"github.com/sluice-k8s/sluice/hack/bench/internal/fleet"
)

func TestARollIsCompleteWhenEachHasAnswered(t *testing.T) {
	r := newRoll(2)
	r.see(fleet.Name(1))
	select {
	case <-r.all:
		t.Fatal("complete without object 0")
	default:
	}
	r.see(fleet.Name(0))
	<-r.all
	if err := r.err(); err != nil || r.missing() != 0 {
		t.Errorf("%d missing, %v", r.missing(), err)
	}
}

func TestARollFindsWhatIsWrong(t *testing.T) {
	for name, names := range map[string][]string{
		"seen twice":     {fleet.Name(0), fleet.Name(0)},
		"not put there":  {fleet.Name(2)},
		"somebody elses": {"kube-root-ca.crt"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoll(2)
			for _, name := range names {
				r.see(name)
			}
			if r.err() == nil {
				t.Error("no error")
			}
		})
	}
}
