//go:build !linux

package process

import "syscall"

// dieWithParent has no equivalent here.
func dieWithParent() *syscall.SysProcAttr { return nil }
