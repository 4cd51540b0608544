package main

import (
	"fmt"
	"runtime"

	"github.com/ksqlgo/ksqlgo/server"
)

// versionCommand prints the version.
type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run(io *streams) error {
	fmt.Fprintf(io.out, "ksqlgo %s %s %s/%s\n", server.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
