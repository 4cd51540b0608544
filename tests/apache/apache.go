// Package apache runs Apache Kafka 4.x on loopback for tests: KRaft mode, one broker or several, from Maven's artifacts.
//
// What it needs is Java 17 or later and, once for each version of Kafka, Maven and the network: the jars are kept in the
// user's cache directory. Where they are missing, tests skip and say so.
package apache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Options say what cluster is wanted.
type Options struct {
	// Brokers is how many nodes there are, each a broker and a controller: 1 (which 0 means), or 3 with replication
	// factor 3 and two replicas in sync wanted.
	Brokers int
	// Properties are added to every node's server.properties, in place of what is there.
	Properties map[string]string
	// HeapMB is the heap of a node; 0 means 256.
	HeapMB int
	// Sustained is for runs of minutes and of millions of records: the JVM's optimising compiler and G1, which cost more at
	// the start than they gain in a short test.
	Sustained bool
	// Front stands between the clients and a node, as a proxy does: it gets the number of the node (from 0) and the address
	// it listens on, before the node starts, and returns the address to advertise. Brokers talk to each other directly.
	Front func(node int, listener string) (advertised string)
	// Secured, unless nil, is how clients are let in.
	Secured *Secured
}

// ErrUnavailable is the error of Launch where this machine cannot run Apache Kafka: no Java, no Maven, no network.
var ErrUnavailable = errors.New("apache Kafka cannot be run here")

// Cluster is a running Apache Kafka. Its methods are for one goroutine at a time for each node.
type Cluster struct {
	nodes []*node
}

// readyWithin bounds the wait for a cluster or a node to serve. Usual are 1.5 s for one node and 5 s for three; the machine
// may be busy.
const readyWithin = 2 * time.Minute

// Start runs a cluster until the test ends, with its data in a directory of the test, and waits until it serves. Where that
// cannot be, the test is skipped. When the test fails, the ends of the nodes' logs are in its log.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	// The directory of the test may have a comma in its name, which Kafka takes for the end of it.
	dir, err := os.MkdirTemp("", "ksqlgo-kafka")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c, err := Launch(dir, o)
	if errors.Is(err, ErrUnavailable) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if t.Failed() {
			for _, n := range c.nodes {
				t.Logf("the end of the log of Kafka's node %d:\n%s", n.id, n.logTail())
			}
		}
	})
	return c
}

// Launch is Start for those who have no test at hand. dir is empty or does not exist; it is the caller's to remove, after
// Close.
func Launch(dir string, o Options) (*Cluster, error) {
	in, err := installed()
	if err != nil {
		return nil, err
	}
	if o.Brokers == 0 {
		o.Brokers = 1
	}
	if o.HeapMB == 0 {
		o.HeapMB = 256
	}
	flags := quick
	if o.Sustained {
		flags = []string{"-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"}
	} else if archive := filepath.Join(in.dir, archiveName); exists(archive) {
		flags = append(slices.Clone(quick), "-Xshare:auto", "-XX:SharedArchiveFile="+archive, "-Xlog:cds=off", "-Xlog:class+path=off")
	}
	return in.launch(dir, o, flags...)
}

// launch runs a cluster and waits until it serves.
func (in *installation) launch(dir string, o Options, flags ...string) (*Cluster, error) {
	ports, err := freePorts(3 * o.Brokers)
	if err != nil {
		return nil, err
	}
	clusterID, err := uuid()
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	for i := range o.Brokers {
		n := &node{id: i + 1, in: in, dir: filepath.Join(dir, fmt.Sprint("node", i+1)), options: o, flags: flags,
			client: loopback(ports[3*i]), peer: loopback(ports[3*i+1]), controller: loopback(ports[3*i+2])}
		n.advertised = n.client
		if o.Front != nil {
			n.advertised = o.Front(i, n.client)
		}
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		if err := n.format(clusterID, c.nodes); err != nil {
			return nil, err
		}
	}
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			c.Close()
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	err = c.Await(ctx)
	if err == nil && o.Secured != nil && len(o.Secured.Users) > 0 {
		err = c.addUsers(ctx, o.Secured.Users)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// BootstrapServers are the addresses for clients, one a node.
func (c *Cluster) BootstrapServers() []string {
	var out []string
	for _, n := range c.nodes {
		out = append(out, n.advertised)
	}
	return out
}

// Await waits until every node that was not ended serves, and the cluster knows each of them.
func (c *Cluster) Await(ctx context.Context) error {
	running := 0
	for _, n := range c.nodes {
		if n.running() {
			running++
		}
	}
	for _, n := range c.nodes {
		if !n.running() {
			continue
		}
		if err := n.await(ctx, running); err != nil {
			return fmt.Errorf("waiting for Kafka's node %d: %w", n.id, err)
		}
	}
	return nil
}

// Kill ends node i, from 0, with SIGKILL.
//
// A test of transactions leaves a majority alive: when all replicas of a partition are killed at once, as a lone broker's
// are, Kafka 4.3.1 can lose the end of a transaction for good. The coordinator that finds it decided and not yet marked
// meets partitions without a leader, takes them for deleted ("these partitions are likely deleted already and hence can be
// skipped") and calls it complete: readers of committed records never get past it, offsets stay unstable.
func (c *Cluster) Kill(i int) { c.nodes[i].process.Kill() }

// Stop ends node i with SIGTERM: it hands its leaderships over first, as far as there is somebody to take them.
func (c *Cluster) Stop(i int) error { return c.nodes[i].stop() }

// Restart starts node i again with its data and addresses, and does not wait for it; see Await.
func (c *Cluster) Restart(i int) error {
	n := c.nodes[i]
	if n.running() {
		n.process.Kill()
	}
	return n.start()
}

// PID is the process id of node i, as of its last start, for signals and measurements.
func (c *Cluster) PID(i int) int { return c.nodes[i].process.PID() }

// Close kills all nodes.
func (c *Cluster) Close() {
	for _, n := range c.nodes {
		if n.process != nil {
			n.process.Kill()
		}
	}
}

// exists says whether there is such a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
