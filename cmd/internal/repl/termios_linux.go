package repl

import "golang.org/x/sys/unix"

// ioctl requests that read and write the terminal's settings.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
