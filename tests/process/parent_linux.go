package process

import "syscall"

// dieWithParent makes the kernel kill the process when the test program is gone, however it ended.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
