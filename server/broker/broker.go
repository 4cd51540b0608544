package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Message is what a server prints when it starts an embedded broker.
const Message = "embedded broker: one node, for development and small installations; " +
	"a power loss may lose the last seconds unless --sync"

// Config says where the broker listens and where it keeps its data. The zero
// value is a broker in memory on 127.0.0.1:9092.
type Config struct {
	// Listener is the host:port to listen on; port 0 takes a free port.
	// Empty means 127.0.0.1:9092.
	Listener string
	// FallBackToFreePort takes a free port of the same host when the port of
	// Listener is already in use; without it that is an error.
	FallBackToFreePort bool
	// AdvertisedHost is the host name given to clients in metadata. Empty
	// means the host of Listener, or 127.0.0.1 when that is a wildcard.
	AdvertisedHost string
	// DataDir is the folder of the topics; it is created when missing and
	// locked while the broker runs. Empty keeps everything in memory.
	DataDir string
	// SyncWrites makes every acknowledged batch durable against a power loss
	// (fsync per batch). Without it a kill of the process loses nothing that
	// was acknowledged, a power loss may lose the last seconds.
	SyncWrites bool
	// DefaultPartitions is the partition count of topics created without one.
	// 0 means 1.
	DefaultPartitions int
	// RetentionInterval is how often retention.ms and retention.bytes are
	// applied to user topics. 0 means 5 minutes.
	RetentionInterval time.Duration
	// Logger receives the broker's messages; nil discards them.
	Logger *slog.Logger
}

// Broker is a running one-node Kafka. All methods are safe for concurrent use.
type Broker struct {
	cluster   *kfake.Cluster
	addr      string
	recovered Recovery
	suffix    string
	logger    *slog.Logger

	journal  *journal
	sessions sessions
	room     diskRoom
	failed   *atomic.Bool // kfake could not write something
	lock     *dirLock
	stop     context.CancelFunc
	done     sync.WaitGroup

	closeOnce sync.Once
	closeErr  error
}

const (
	defaultListener          = "127.0.0.1:9092"
	defaultRetentionInterval = 5 * time.Minute
)

// Start starts a broker and returns once it answers on its port. A data
// directory left by a killed process is repaired first (see the package
// comment). It fails with a *DirLockedError when another process runs on the
// data directory, and with the listen error when the port is taken. ctx bounds
// the start only; the broker runs until Close.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	if cfg.Listener == "" {
		cfg.Listener = defaultListener
	}
	if cfg.RetentionInterval == 0 {
		cfg.RetentionInterval = defaultRetentionInterval
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Broker{
		suffix: "-" + strconv.FormatInt(time.Now().UnixNano(), 10),
		logger: cfg.Logger,
		failed: new(atomic.Bool),
	}
	b.room.free = func() (uint64, uint64, error) { return freeBytes(cfg.DataDir) }
	if err := b.open(ctx, cfg); err != nil {
		_ = b.release(false)
		return nil, err
	}
	return b, nil
}

// open locks and repairs the data directory, then starts the cluster.
func (b *Broker) open(ctx context.Context, cfg Config) error {
	if cfg.DataDir != "" {
		if err := b.openDir(cfg); err != nil {
			return err
		}
	}
	ln, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	b.addr = ln.Addr().String()
	b.cluster, err = kfake.NewCluster(clusterOptions(cfg, ln, b.failed)...)
	if err != nil {
		ln.Close()
		return fmt.Errorf("starting the embedded broker: %w", err)
	}
	b.installControls()

	background, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.done.Go(func() { b.keepSessions(background) })
	b.done.Go(func() { b.applyRetention(background, cfg.DataDir, cfg.RetentionInterval) })
	return b.Ready(ctx)
}

// openDir takes the lock of the data directory, repairs what a killed process
// left, and opens the transaction journal.
func (b *Broker) openDir(cfg Config) error {
	if err := os.MkdirAll(cfg.DataDir, 0o755); err != nil {
		return fmt.Errorf("creating the broker's data directory: %w", err)
	}
	var err error
	if b.lock, err = lockDir(cfg.DataDir); err != nil {
		return err
	}
	if b.recovered, err = recoverDir(cfg.DataDir, time.Now()); err != nil {
		return fmt.Errorf("repairing the broker's data directory %s: %w", cfg.DataDir, err)
	}
	if b.recovered.Needed {
		b.logger.Info("embedded broker: repaired the data of a process that was killed", "repair", b.recovered)
	}
	b.journal, err = openJournal(cfg.DataDir, cfg.SyncWrites, func(err error) {
		b.logger.Error("embedded broker: a kill at this moment may tear a transaction", "error", err)
	})
	return err
}

// clusterOptions are the settings that make kfake safe; the package comment
// has the reason of each.
func clusterOptions(cfg Config, ln net.Listener, failed *atomic.Bool) []kfake.Opt {
	partitions := cfg.DefaultPartitions
	if partitions <= 0 {
		partitions = 1
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("ksqlgo-embedded"),
		kfake.DefaultNumPartitions(partitions),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return ln, nil }),
		kfake.WithLogger(kfakeLogger{cfg.Logger, failed}),
		kfake.BrokerConfigs(map[string]string{
			"log.segment.bytes":          strconv.Itoa(16 << 20),
			"log.cleaner.backoff.ms":     strconv.FormatInt(neverMillis, 10),
			"message.max.bytes":          strconv.Itoa(64<<20 + 1<<10),
			"offsets.retention.minutes":  strconv.Itoa(5 * 365 * 24 * 60),
			"default.replication.factor": "1",
		}),
	}
	if cfg.DataDir != "" {
		opts = append(opts, kfake.DataDir(cfg.DataDir))
	}
	if cfg.SyncWrites {
		opts = append(opts, kfake.SyncWrites())
	}
	return opts
}

// neverMillis is the longest interval in milliseconds that a time.Duration
// can hold.
const neverMillis = int64(1<<63-1) / int64(time.Millisecond)

// Addr is the host:port under which clients reach the broker.
func (b *Broker) Addr() string { return b.addr }

// BootstrapServers is Addr as a list, as client configurations want it.
func (b *Broker) BootstrapServers() []string { return []string{b.addr} }

// TransactionalIDSuffix is different at every start ("-" and digits). A server
// that runs on an embedded broker appends it to its transactional ids, so that
// no transaction of a killed process can ever be continued by its successor.
func (b *Broker) TransactionalIDSuffix() string { return b.suffix }

// Recovery says what Start repaired in the data directory.
func (b *Broker) Recovery() Recovery { return b.recovered }

// Ready returns nil once the broker accepts connections, else ctx's error.
func (b *Broker) Ready(ctx context.Context) error {
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", b.addr)
		if err == nil {
			return conn.Close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("embedded broker on %s does not answer: %w", b.addr, errors.Join(ctx.Err(), err))
		}
	}
}

// Close stops the broker, writes its state so that the next Start needs no
// repair, and gives up the lock. It may be called more than once.
func (b *Broker) Close() error {
	b.closeOnce.Do(func() { b.closeErr = b.release(true) })
	return b.closeErr
}

// release undoes whatever open did. clean says that the broker had started:
// the directory needs no repair if kfake could write its state.
func (b *Broker) release(clean bool) error {
	if b.stop != nil {
		b.stop()
		b.done.Wait()
	}
	if b.cluster != nil {
		b.cluster.Close()
	}
	var errs []error
	if b.journal != nil {
		errs = append(errs, b.journal.close(clean && b.cluster != nil && !b.failed.Load()))
	}
	if b.lock != nil {
		errs = append(errs, b.lock.unlock())
	}
	return errors.Join(errs...)
}
