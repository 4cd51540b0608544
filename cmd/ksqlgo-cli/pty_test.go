//go:build unix

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTerminalIsRestoredOnEveryWayOut(t *testing.T) {
	const push = "SELECT * FROM ORDERS EMIT CHANGES;\r"
	tests := map[string]struct {
		code  int
		leave func(w *window)
	}{
		"exit":                   {0, func(w *window) { w.send("exit\r") }},
		"exit with a semicolon":  {0, func(w *window) { w.send("EXIT;\r") }},
		"ctrl-d":                 {0, func(w *window) { w.send("\x04") }},
		"ctrl-d after a query":   {0, func(w *window) { w.send("SELECT 1;\r"); w.await(0, "Query terminated\r\nksql> "); w.send("\x04") }},
		"ctrl-d in a statement":  {0, func(w *window) { w.send("SELECT\r"); w.await(0, "SELECT\r\n"); w.send("\x04") }},
		"SIGTERM at the prompt":  {128 + 15, func(w *window) { w.kill(syscall.SIGTERM) }},
		"SIGHUP at the prompt":   {128 + 1, func(w *window) { w.kill(syscall.SIGHUP) }},
		"SIGTERM while typing":   {128 + 15, func(w *window) { w.send("SELECT x"); w.await(0, "SELECT x"); w.kill(syscall.SIGTERM) }},
		"SIGTERM during a query": {128 + 15, func(w *window) { w.send(push); w.await(0, "|3 "); w.kill(syscall.SIGTERM) }},
		"SIGHUP during a query":  {128 + 1, func(w *window) { w.send(push); w.await(0, "|3 "); w.kill(syscall.SIGHUP) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t)
			w := open(t, server.URL)
			w.ready()
			test.leave(w)
			w.over(test.code)
		})
	}
}

func (w *window) kill(s os.Signal) {
	w.t.Helper()
	if err := w.command.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}

func TestConsoleEndsWhenTheTerminalGoes(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.tty.Close()
	w.control.Close()
	select {
	case <-w.done:
	case <-time.After(patience):
		t.Fatal("the console outlived its terminal")
	}
}

func TestCtrlCStopsAPushQuery(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	var took []time.Duration
	for range 5 {
		mark := w.mark()
		w.send("SELECT * FROM ORDERS EMIT CHANGES;\r")
		w.await(mark, "|3 ")
		w.restored() // Ctrl-C is a signal only then
		mark = w.mark()
		start := time.Now()
		w.send("\x03")
		w.await(mark, "Query terminated")
		took = append(took, time.Since(start))
		select {
		case <-server.Left():
		case <-time.After(patience):
			t.Fatal("the query goes on at the server")
		}
		w.await(mark, "ksql> ")
	}
	slices.Sort(took)
	if took[2] > 200*time.Millisecond { // the median: the machine may be busy
		t.Errorf("Ctrl-C took %v", took)
	}
	w.send("PRINT orders;\r")
	w.await(0, "partition: 0")
	mark := w.mark()
	w.send("\x03")
	w.await(mark, "Topic printing ceased")
	w.await(mark, "ksql> ")
	w.send("\x04")
	w.over(0)
}

func TestCtrlCDropsTheHalfStatement(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("CREATE STREAM half\r")
	w.await(0, "half\r\n> ")
	w.send("and more\x03")
	w.send("SHOW TABLES;\r")
	w.await(0, "USERS")
	if got := server.SQL(); !slices.Equal(got, []string{"SHOW TABLES;"}) {
		t.Errorf("sent %q", got)
	}
	w.kill(os.Interrupt) // as Ctrl-C: it does not end the console
	w.send("SHOW STREAMS;\r")
	w.await(0, " orders ")
	w.send("exit\r")
	w.over(0)
}

func TestPasteOfManyLines(t *testing.T) {
	for name, marks := range map[string][2]string{"bracketed": {"\x1b[200~", "\x1b[201~"}, "plain": {}} {
		t.Run(name, func(t *testing.T) {
			server := serve(t)
			w := open(t, server.URL)
			w.ready()
			var paste strings.Builder
			var want []string
			for i := range 25 {
				statement := fmt.Sprintf("CREATE STREAM s%d\n  (x STRING, -- é %d\n   y INT);", i, i)
				want = append(want, statement)
				paste.WriteString(strings.ReplaceAll(statement, "\n", "\r") + "\r")
			}
			w.send(marks[0])
			for text := paste.String(); text != ""; { // runes cut in two by reads
				n := min(len(text), 701)
				w.send(text[:n])
				text = text[n:]
			}
			w.send(marks[1])
			eventually(t, "not all statements arrived", func() bool { return len(server.SQL()) >= len(want) })
			if got := server.SQL(); !slices.Equal(got, want) {
				t.Errorf("sent %q", got)
			}
			w.await(0, "y INT);")
			w.send("exit\r")
			w.over(0)
		})
	}
}

func TestPasteKeepsTheTextAsItIs(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("\x1b[200~INSERT INTO o VALUES ('a\tb',\n\t'it''s; é日');\n\x1b[201~")
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 1 })
	if got, want := server.SQL()[0], "INSERT INTO o VALUES ('a\tb',\n\t'it''s; é日');"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestResizesRaceEnter(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(7 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				w.resize(3+i%30, 20+i%100)
			case <-stop:
				return
			}
		}
	}()
	const rounds = 30
	for i := range rounds {
		w.send(fmt.Sprintf("CREATE STREAM race_%d (x INT);\r", i))
		eventually(t, "the console hangs", func() bool { return len(server.SQL()) == i+1 })
	}
	close(stop)
	<-stopped
	for i, sql := range server.SQL() {
		if want := fmt.Sprintf("CREATE STREAM race_%d (x INT);", i); sql != want {
			t.Errorf("sent %q, want %q", sql, want)
		}
	}
	w.send("exit\r")
	w.over(0)
}

func TestAResizeKeepsTheLine(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("SHOW STR")
	w.await(0, "SHOW STR")
	mark := w.mark()
	w.resize(40, 60)
	w.await(mark, "ksql> SHOW STR")
	w.send("EAMS;\r")
	eventually(t, "nothing arrived", func() bool { return slices.Equal(server.SQL(), []string{"SHOW STREAMS;"}) })
}

func TestUnknownKeysDoNothing(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("\x1bb\x1b[1;9Zsh\x1b[25~ow\x1b]11;rgb:1/2/3\x07 \x1b[200~\x1b[201~TABLES\x1b[24;2~;\r")
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 1 })
	if got := server.SQL()[0]; got != "show TABLES;" {
		t.Errorf("sent %q", got)
	}
}

func TestEditingKeys(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("HOW TABLES; x\x7f\x7f\x1b[HS\x1b[F\r")                  // backspace, Home, End
	w.send("DROP zz tab\x1b[1;5D\x7f\x7f\x7f\x1b[1;5C;\r")          // Ctrl-Left, backspaces, Ctrl-Right
	w.send("SELECT 'é\x1b[D\x1b[D\x1b[C\x1b[C' FROM \x15SHOW x;\r") // arrows over é, Ctrl-U
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 3 })
	if got, want := server.SQL(), []string{"SHOW TABLES;", "DROP tab;", "SHOW x;"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestCompletionKnowsTheCatalog(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("SELECT * FROM ")
	// The names arrive in the background; each key looks for them again.
	eventually(t, "the sources are not offered", func() bool {
		w.send(" \x7f")
		w.tryAwait(50 * time.Millisecond)
		plain := w.plain()
		return strings.Contains(plain, " ORDERS ") && strings.Contains(plain, "stream") && strings.Contains(plain, " USERS ")
	})
	w.send("u\t EMIT CHANGES LIMIT 1;\r")
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 1 })
	if got := server.SQL()[0]; got != "SELECT * FROM users EMIT CHANGES LIMIT 1;" {
		t.Errorf("sent %q", got)
	}
	w.await(0, "Query terminated")
	mark := w.mark()
	w.send("SELECT am")
	w.await(mark, "DOUBLE of ORDERS")
	w.send("\x15SET 'auto")
	w.await(mark, "auto.offset.reset")
	w.send("\t'='e")
	w.await(mark, "earliest")
	w.send("\t';\r")
	w.await(mark, "Successfully changed local property 'auto.offset.reset' to 'earliest'.")
	w.send("exit\r")
	w.over(0)
}

// tryAwait waits for any output, not long.
func (w *window) tryAwait(wait time.Duration) {
	select {
	case <-w.grown:
	case <-time.After(wait):
	}
}

func TestHistoryKeys(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("SHOW\rTABLES; -- two lines\r")
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 1 })
	w.await(0, "----\r\nksql> ")
	mark := w.mark()
	w.send("SHOW STREAMS;\r")
	w.await(mark, "----\r\nksql> ")
	mark = w.mark()
	w.send("\x1b[A\x1b[A\r") // up, up
	w.await(mark, "----\r\nksql> ")
	mark = w.mark()
	w.send("\x12str") // Ctrl-R
	w.await(mark, "history> ")
	w.await(mark, "SHOW STREAMS;")
	w.send("\r")
	w.await(mark, "ksql> SHOW STREAMS;")
	w.send("\r")
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 4 })
	w.send("!1\r")
	eventually(t, "nothing arrived", func() bool { return len(server.SQL()) == 5 })
	want := []string{"SHOW\nTABLES;", "SHOW STREAMS;", "SHOW TABLES;", "SHOW STREAMS;", "SHOW TABLES;"}
	if got := server.SQL(); !slices.Equal(got, want) {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestErrorsShowACaret(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.ready()
	w.send("SELECT BAD FROM x;\r")
	w.await(0, "BAD is not allowed here")
	w.await(0, "         ^^^")
	w.send("SHOW TABLES;\r") // the console goes on
	w.await(0, "USERS")
	w.send("exit\r")
	w.over(0)
}

func TestALineTallerThanTheScreen(t *testing.T) {
	server := serve(t)
	w := open(t, server.URL)
	w.resize(6, 40)
	w.ready()
	long := "INSERT INTO o VALUES ('" + strings.Repeat("0123456789", 60) + "');"
	w.send("\x1b[200~" + long + "\x1b[201~\r")
	eventually(t, "nothing arrived", func() bool { return slices.Equal(server.SQL(), []string{long}) })
	if strings.Contains(w.plain(), "too small") {
		t.Error("go-prompt wiped the screen")
	}
}

func TestScriptsOnATerminal(t *testing.T) {
	server := serve(t)
	w := open(t, "-e", "SELECT * FROM ORDERS EMIT CHANGES;", server.URL)
	w.await(0, "|3 ")
	w.send("\x03")
	w.over(130)
	w = open(t, "-e", "SHOW TABLES;", server.URL)
	w.over(0)
	if got := server.SQL(); len(got) != 2 {
		t.Errorf("sent %q", got)
	}
}
