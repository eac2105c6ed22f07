package runca

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns the resident memory of a process in MiB: now, and the most that it ever had.
func Memory(pid int) (now, most float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for key, value := range map[string]*float64{"VmRSS:": &now, "VmHWM:": &most} {
		_, rest, _ := strings.Cut(string(status), key)
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0, 0, fmt.Errorf("process %d has no %s", pid, key)
		}
		kib, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return 0, 0, err
		}
		*value = kib / 1024
	}
	return now, most, nil
}
