//go:build !linux

package process

import (
	"errors"
	"time"
)

// Usage is what a process has used since its start.
type Usage struct {
	// CPU is user and system time of all its threads.
	CPU time.Duration
	// PeakRSS is the most memory it was resident with, bytes.
	PeakRSS int64
}

// UsageOf is not known here.
func UsageOf(int) (Usage, error) { return Usage{}, errors.ErrUnsupported }
