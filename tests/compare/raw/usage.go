//go:build unix

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// meter takes the CPU time of this process between the first record that
// counts and the last.
type meter struct {
	warm    int64
	started bool
	at      time.Time
	cpu     time.Duration
	records int64
}

// done tells the meter how many records are done in all.
func (m *meter) done(records int64) {
	if !m.started && records >= m.warm {
		m.started, m.at, m.cpu, m.records = true, time.Now(), cpuTime(), records
	}
}

// report prints the result.
func (m *meter) report(what string, records int64) {
	n := float64(records - m.records)
	cpu, wall := cpuTime()-m.cpu, time.Since(m.at)
	fmt.Printf("RESULT %s records=%d cpu_ns_per_record=%.1f records_per_second=%.0f peak_rss_mb=%d\n",
		what, records, float64(cpu)/n, n/wall.Seconds(), peakRSS()>>20)
}

// cpuTime is the user and system time of this process.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakRSS is the largest resident memory in bytes, 0 where the system does
// not tell.
func peakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
