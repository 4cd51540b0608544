package commandlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// StoredLog is a backup as a whole.
type StoredLog struct {
	Header  BackupHeader
	Entries []Entry
}

// ReadBackup reads a whole backup. When its end is damaged, as that of a server which was killed may be, what comes before
// is returned with the *DamagedError.
func ReadBackup(r io.Reader) (*StoredLog, error) {
	b, err := NewBackupReader(r)
	if err != nil {
		return nil, err
	}
	log := &StoredLog{Header: b.Header}
	for {
		e, err := b.Next()
		if errors.Is(err, io.EOF) {
			return log, nil
		}
		if err != nil {
			return log, err
		}
		if n := len(log.Entries); n > 0 && log.Entries[n-1].Offset >= e.Offset {
			return log, &DamagedError{At: b.Offset(), What: fmt.Sprintf("offset %d comes after %d", e.Offset, log.Entries[n-1].Offset)}
		}
		e.Key, e.Value = bytes.Clone(e.Key), bytes.Clone(e.Value)
		log.Entries = append(log.Entries, e)
	}
}

// WriteBackup writes what a topic holds, records that nobody can decode left out.
func WriteBackup(w io.Writer, in *Inspection) error {
	if err := WriteBackupHeader(w, in.Header); err != nil {
		return err
	}
	for i := range in.Records {
		if in.Records[i].Err != nil {
			continue
		}
		if err := WriteBackupEntry(w, in.Records[i].Entry); err != nil {
			return err
		}
	}
	return nil
}

const (
	// restoreWithin bounds the transaction that writes a restored log, in which all of it is.
	restoreWithin = 2 * time.Minute
	pollEvery     = 20 * time.Millisecond
	maxPoll       = time.Second
)

// Restore makes the command topic of a service anew from a stored log: the topic that exists is deleted, and all records
// come to stand at the offsets that they had. A last record tells servers which topics this one stands for, so that
// their backups of those are no reason to call it corrupted. That the service was terminated is left out: who restores it
// wants it back. It returns the offset after the last record.
//
// The old topic is gone once it begins: keep a backup of it. No server should run.
func Restore(ctx context.Context, cfg KafkaTopicConfig, log *StoredLog) (int64, error) {
	former := []string{log.Header.TopicID.String()}
	kept := StoredLog{Header: log.Header}
	for _, e := range log.Entries {
		_, c, err := decodeEntry(e)
		switch {
		case err != nil:
		case c.Action == Restored:
			former = append(former, c.Former...)
		case c.Action == TerminateCluster:
			continue
		}
		kept.Entries = append(kept.Entries, e)
	}
	log = &kept
	name, admin := TopicName(cfg.ServiceID), cfg.Cluster.Admin()
	infos, err := admin.Topics(ctx, name)
	if err != nil {
		return 0, err
	}
	if old, exists := infos[name]; exists {
		former = append(former, old.ID.String())
		if err := admin.DeleteTopicByID(ctx, name, old.ID); err != nil {
			return 0, err
		}
	}
	slices.Sort(former)
	if err := createAnew(ctx, cfg); err != nil {
		return 0, err
	}
	return writeAll(ctx, cfg, log, slices.Compact(former))
}

// createAnew creates the topic; the deletion of the one before may take a moment.
func createAnew(ctx context.Context, cfg KafkaTopicConfig) error {
	for until := time.Now().Add(30 * time.Second); ; {
		_, err := cfg.Cluster.Admin().CreateTopic(ctx, cfg.spec())
		if err == nil {
			return nil
		}
		if kind := kafka.KindOf(err); kind != kafka.TopicExists && kind != kafka.Retriable || time.Now().After(until) || !sleep(ctx, 10*pollEvery) {
			return fmt.Errorf("command topic: %w", err)
		}
	}
}

// writeAll writes a stored log into the empty topic in one transaction, in which there are no gaps: where there was one,
// it is filled.
func writeAll(ctx context.Context, cfg KafkaTopicConfig, log *StoredLog, former []string) (int64, error) {
	name := TopicName(cfg.ServiceID)
	p, err := cfg.Cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "command", TransactionalID: name, TransactionTimeout: restoreWithin})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	fillerKey, fillerValue, err := encodeRecord(ID{"command", "filler", "restore"}, &Command{Action: Filler})
	if err != nil {
		return 0, err
	}
	next, now := int64(0), time.Now().UnixMilli()
	for _, e := range log.Entries {
		for ; next < e.Offset; next++ {
			p.Produce(name, 0, fillerKey, fillerValue, e.Timestamp, nil)
		}
		p.Produce(name, 0, e.Key, e.Value, e.Timestamp, nil)
		next++
	}
	key, value, err := encodeRecord(ID{"command", "topic", "restore"}, &Command{Action: Restored, Former: former,
		Statement: fmt.Sprintf("-- restored from a backup with %d records", len(log.Entries))})
	if err != nil {
		return 0, err
	}
	p.Produce(name, 0, key, value, now, nil)
	next++
	if err := p.Flush(ctx); err != nil {
		return 0, err
	}
	if end := p.NextOffset(name, 0); end != next {
		_ = p.AbortTransaction(ctx)
		return 0, fmt.Errorf("the restored command topic ends at offset %d instead of %d: something else writes to it", end, next)
	}
	return next, p.CommitTransaction(ctx, kafka.Member{}, nil)
}
