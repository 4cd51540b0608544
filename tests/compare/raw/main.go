// Command raw is the measure of comparison: what a plain franz-go program
// pays, in CPU time a record, for reading a topic and for copying it exactly
// once. It also writes the events that it and the engine are measured on.
//
//	raw -broker ADDR fill    -topic events -n 1000000 [-partitions 4] [-keys 100000]
//	raw -broker ADDR users   -topic users  -keys 100000
//	raw -broker ADDR consume -topic events
//	raw -broker ADDR pass    -topic events -out copy [-interval 100ms]
//
// fill and users create the topic. consume and pass end when all records are
// done, and print one line: RESULT, what was run, then name=value pairs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options are the flags of all subcommands.
type options struct {
	broker     string
	topic, out string
	n, keys    int
	partitions int
	interval   time.Duration
	warm       int64
	rate       int
}

func main() {
	var o options
	flag.StringVar(&o.broker, "broker", "127.0.0.1:9092", "bootstrap server")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: raw [-broker ADDR] fill|users|consume|pass [flags]")
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	name := flag.Arg(0)
	fs := flag.NewFlagSet(name, flag.ExitOnError)
	fs.StringVar(&o.topic, "topic", "events", "topic to write or read")
	fs.StringVar(&o.out, "out", "copy", "topic to copy to; created when missing")
	fs.IntVar(&o.n, "n", 1_000_000, "events to write")
	fs.IntVar(&o.keys, "keys", 100_000, "distinct keys")
	fs.IntVar(&o.partitions, "partitions", 4, "partitions of topics created")
	fs.IntVar(&o.rate, "rate", 0, "events to write a second; 0 is as fast as possible")
	fs.DurationVar(&o.interval, "interval", 100*time.Millisecond, "length of a transaction")
	fs.Int64Var(&o.warm, "warm", 0, "records left out of the figures, at the start")
	if err := fs.Parse(flag.Args()[1:]); err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	commands := map[string]func(context.Context, options) error{
		"fill": fill, "users": users, "consume": consume, "pass": pass,
	}
	run, ok := commands[name]
	if !ok {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "raw %s: %v\n", name, err)
		os.Exit(1)
	}
}
