//go:build unix

package repl

import (
	"os"
	"syscall"
)

// watched are the signals the prompt acts on: keyboard interrupt and resize.
func watched() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGWINCH} }

func isResize(s os.Signal) bool { return s == syscall.SIGWINCH }
