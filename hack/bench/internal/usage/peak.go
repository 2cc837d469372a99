package usage

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// PeakRSS returns the most memory in bytes that the process has had resident at a time.
//
// It is VmHWM of Linux, not ru_maxrss: a process that was started by another one has inherited the latter, so that nothing
// that is smaller than who started it could be measured.
func PeakRSS() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("the peak of memory is only known on Linux: %w", err)
	}
	return highWater(string(status))
}

var errNoPeak = errors.New("no line VmHWM in kB in /proc/self/status")

// highWater finds the line "VmHWM:    1234 kB".
func highWater(status string) (int64, error) {
	for line := range strings.Lines(status) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "VmHWM:" && fields[2] == "kB" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, errNoPeak
}
