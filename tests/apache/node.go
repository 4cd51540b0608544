package apache

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/tests/process"
)

// node is one process: a broker and a controller.
type node struct {
	id      int
	in      *installation
	dir     string
	options Options
	// flags of its JVM.
	flags []string
	// Where it listens for clients, the other brokers, and the controllers.
	client, peer, controller string
	// advertised is the address clients are told.
	advertised string
	process    *process.Process
}

// format writes the node's properties and an empty log directory, as kafka-storage format does.
func (n *node) format(clusterID string, all []*node) error {
	data := filepath.Join(n.dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	directoryID, err := uuid()
	if err != nil {
		return err
	}
	replication, inSync := "1", "1"
	if len(all) >= 3 {
		replication, inSync = "3", "2"
	}
	var voters []string
	for _, v := range all {
		voters = append(voters, fmt.Sprintf("%d@%s", v.id, v.controller))
	}
	defaults := map[string]string{
		"process.roles":                                    "broker,controller",
		"node.id":                                          strconv.Itoa(n.id),
		"controller.quorum.voters":                         strings.Join(voters, ","),
		"controller.listener.names":                        "CONTROLLER",
		"listeners":                                        "CLIENT://" + n.client + ",PEER://" + n.peer + ",CONTROLLER://" + n.controller,
		"advertised.listeners":                             "CLIENT://" + n.advertised + ",PEER://" + n.peer,
		"inter.broker.listener.name":                       "PEER",
		"listener.security.protocol.map":                   "CLIENT:" + n.options.Secured.protocol() + ",PEER:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                                         data,
		"num.partitions":                                   "4",
		"auto.create.topics.enable":                        "false",
		"default.replication.factor":                       replication,
		"min.insync.replicas":                              inSync,
		"offsets.topic.replication.factor":                 replication,
		"offsets.topic.num.partitions":                     "4",
		"transaction.state.log.replication.factor":         replication,
		"transaction.state.log.min.isr":                    inSync,
		"transaction.state.log.num.partitions":             "4",
		"share.coordinator.state.topic.replication.factor": replication,
		"share.coordinator.state.topic.min.isr":            inSync,
		"group.initial.rebalance.delay.ms":                 "0",
		"num.network.threads":                              "2",
		"num.io.threads":                                   "4",
		// A broker that was killed is back only when its former life has timed out.
		"broker.session.timeout.ms":      "4000",
		"broker.heartbeat.interval.ms":   "1000",
		"log.retention.hours":            "-1",
		"log.cleaner.dedupe.buffer.size": "33554432",
	}
	if n.options.Secured != nil {
		maps.Copy(defaults, n.options.Secured.properties())
	}
	maps.Copy(defaults, n.options.Properties)
	var text []byte
	for _, k := range slices.Sorted(maps.Keys(defaults)) {
		text = append(text, k+"="+defaults[k]+"\n"...)
	}
	if err := write(n.dir, "server.properties", text); err != nil {
		return err
	}
	meta := fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", clusterID, n.id, directoryID)
	if err := write(data, "meta.properties", []byte(meta)); err != nil {
		return err
	}
	return write(data, "bootstrap.checkpoint", n.in.bootstrap)
}

// start runs the node.
func (n *node) start() error {
	log, err := os.OpenFile(filepath.Join(n.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	args := n.in.java(append(slices.Clone(n.flags), fmt.Sprintf("-Xms%dm", n.options.HeapMB), fmt.Sprintf("-Xmx%dm", n.options.HeapMB))...)
	args = append(args, "kafka.Kafka", filepath.Join(n.dir, "server.properties"))
	p, err := process.Start(log, nil, n.in.program, args...)
	if err != nil {
		log.Close()
		return err
	}
	n.process = p
	go func() {
		<-p.Done()
		log.Close()
	}()
	return nil
}

// stop asks the node to end and waits.
func (n *node) stop() error {
	err := n.process.Stop(time.Minute)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == terminated {
		return nil
	}
	return err
}

// terminated is how a JVM ends after SIGTERM.
const terminated = 128 + 15

func (n *node) running() bool {
	if n.process == nil {
		return false
	}
	select {
	case <-n.process.Done():
		return false
	default:
		return true
	}
}

// await waits until the node serves clients and knows as many brokers as it should.
func (n *node) await(ctx context.Context, brokers int) error {
	return n.process.Await(ctx, func() error {
		// Dialling first spares the client's retries.
		conn, err := net.DialTimeout("tcp", n.client, time.Second)
		if err != nil {
			return err
		}
		_ = conn.Close()
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		ask := n.client
		if n.options.Secured != nil {
			// Asking needs no name there.
			ask = n.peer
		}
		client, err := kgo.NewClient(kgo.SeedBrokers(ask))
		if err != nil {
			return err
		}
		defer client.Close()
		have, err := kadm.NewClient(client).BrokerMetadata(limited)
		if err != nil {
			return err
		}
		if len(have.Brokers) < brokers {
			return fmt.Errorf("%d of %d brokers have registered", len(have.Brokers), brokers)
		}
		return nil
	})
}

// logTail is the last part of what the node has printed over all its lives.
func (n *node) logTail() string {
	text, err := os.ReadFile(filepath.Join(n.dir, "log"))
	if err != nil {
		return err.Error()
	}
	const most = 4 << 10
	return string(text[max(0, len(text)-most):])
}

// uuid makes an id as Kafka prints them: 128 random bits.
func uuid() (string, error) {
	var b [16]byte
	for {
		if _, err := rand.Read(b[:]); err != nil {
			return "", err
		}
		// An id that begins with a dash would be taken for an option.
		if s := base64.RawURLEncoding.EncodeToString(b[:]); s[0] != '-' {
			return s, nil
		}
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePorts finds ports on which nobody listens.
func freePorts(n int) ([]int, error) {
	var ports []int
	for len(ports) < n {
		port, err := process.FreePort()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports, nil
}

// write creates a file in a directory that exists.
func write(dir, name string, text []byte) error {
	return os.WriteFile(filepath.Join(dir, name), text, 0o600)
}
