// Package process builds ksqlgo and runs it as a process of its own, for the tests that kill it, measure it or start it again.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Build builds the named programs ("cmd/ksqlgo") into dir. The working directory must lie in the repository.
func Build(dir string, programs ...string) error { return BuildTagged(dir, "", programs...) }

// BuildTagged is Build with build tags.
func BuildTagged(dir, tags string, programs ...string) error {
	args := []string{"build", "-tags", tags, "-o", dir + string(filepath.Separator)}
	for _, p := range programs {
		args = append(args, "github.com/ksqlgo/ksqlgo/"+p)
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// FreePort finds a port of 127.0.0.1 on which nobody listens now, below those that systems give out by themselves: who is down
// for a while finds it free again.
func FreePort() (int, error) {
	const lowest, highest = 15_000, 32_000
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port between %d and %d", lowest, highest)
}

// Process is a running program. Its methods are safe for concurrent use.
type Process struct {
	cmd    *exec.Cmd
	output *tail
	done   chan struct{}
	err    error // Of Wait; set when done is closed.
}

// Start runs a program. What it prints is kept (the last part of it) and, with a log, appended there too.
func Start(log *os.File, env []string, program string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(program, args...), output: &tail{log: log}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is the last part of what the program printed.
func (p *Process) Output() string { return p.output.String() }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process with SIGKILL and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Freeze stops the process for a while (SIGSTOP), and lets it go on.
func (p *Process) Freeze(ctx context.Context, d time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop asks the process to end (SIGTERM), waits, and kills it when it takes longer than the limit, which is an error, as is
// an exit code.
func (p *Process) Stop(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("the process did not end within %s of SIGTERM", limit)
	}
}

// Await calls ready again and again until it returns nil. It fails with ready's last error when ctx ends, and at once when
// the process does.
func (p *Process) Await(ctx context.Context, ready func() error) error {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("the process ended (%w):\n%s", p.err, p.Output())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-poll.C:
		}
	}
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	b   bytes.Buffer
	log *os.File
}

// kept bounds how much of the output is kept, in bytes.
const kept = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(b)
	if over := t.b.Len() - kept; over > 0 {
		t.b.Next(over)
	}
	if t.log != nil {
		return t.log.Write(b)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
