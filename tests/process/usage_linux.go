package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used since its start.
type Usage struct {
	// CPU is user and system time of all its threads.
	CPU time.Duration
	// PeakRSS is the most memory it was resident with, bytes.
	PeakRSS int64
}

// UsageOf reads the usage of a process from /proc.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	tasks, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name, which may hold anything, is in brackets; utime and stime are the 12th and 13th fields behind it.
	fields := strings.Fields(string(tasks[strings.LastIndexByte(string(tasks), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return u, fmt.Errorf("unexpected /proc/%d/stat", pid)
	}
	const tick = time.Second / 100 // USER_HZ, the same on all architectures of Linux.
	u.CPU = time.Duration(user+system) * tick
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return u, err
			}
			u.PeakRSS = kb << 10
		}
	}
	return u, nil
}
