package peers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/server/peers/wire"
)

const (
	// beatPath is ksqlDB's endpoint; what goes there is ours.
	beatPath = "/heartbeat"
	// beatVersion is the first byte of both messages.
	beatVersion = 1
	// maxStatusBytes bounds what is read of an answer, maxBeatBytes what is read of a beat.
	maxStatusBytes = 64 << 20
	maxBeatBytes   = 64 << 10
)

// beat asks a server how it is.
type beat struct {
	service string
	from    Node
	// incarnation and version are of the status that the sender has; the answer brings a status if there is another one.
	incarnation, version uint64
}

func appendBeat(b []byte, m *beat) []byte {
	b = append(b, beatVersion)
	b = wire.AppendString(b, m.service)
	b = appendNode(b, m.from)
	b = binary.AppendUvarint(b, m.incarnation)
	return binary.AppendUvarint(b, m.version)
}

func decodeBeat(data []byte) (*beat, error) {
	r, err := openMessage(data)
	if err != nil {
		return nil, err
	}
	m := &beat{service: r.String(), from: readNode(r), incarnation: r.Uvarint(), version: r.Uvarint()}
	return m, r.Err()
}

// beatAnswer says how a server is.
type beatAnswer struct {
	node    Node
	version uint64
	// status is empty when the sender of the beat has it already.
	status []byte
}

func appendBeatAnswer(b []byte, m *beatAnswer) []byte {
	b = append(b, beatVersion)
	b = appendNode(b, m.node)
	b = binary.AppendUvarint(b, m.version)
	return wire.AppendBytes(b, m.status)
}

func decodeBeatAnswer(data []byte) (*beatAnswer, error) {
	r, err := openMessage(data)
	if err != nil {
		return nil, err
	}
	m := &beatAnswer{node: readNode(r), version: r.Uvarint(), status: r.Bytes()}
	return m, r.Err()
}

// openMessage checks the version. Fields may be added at the end without a new one.
func openMessage(data []byte) (*wire.Reader, error) {
	r := wire.NewReader(data)
	if v := r.Byte(); r.Err() == nil && v != beatVersion {
		return nil, fmt.Errorf("a heartbeat of version %d; this server knows version %d", v, beatVersion)
	}
	return r, r.Err()
}

func appendNode(b []byte, n Node) []byte {
	return wire.AppendRecord(b, func(b []byte) []byte {
		b = wire.AppendString(b, n.ID)
		b = binary.AppendUvarint(b, n.Incarnation)
		return wire.AppendString(wire.AppendString(b, n.Endpoint), n.Zone)
	})
}

func readNode(r *wire.Reader) (n Node) {
	r.Record(func(r *wire.Reader) {
		n = Node{ID: r.String(), Incarnation: r.Uvarint(), Endpoint: r.String(), Zone: r.String()}
	})
	return n
}

// answerBeat answers another server, and makes its acquaintance.
func (p *Peers) answerBeat(w http.ResponseWriter, r *http.Request) {
	data, err := readAll(r.Body, maxBeatBytes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m, err := decodeBeat(data)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case m.service != p.cfg.ServiceID:
		http.Error(w, "this is a server of the service "+p.cfg.ServiceID, http.StatusMisdirectedRequest)
		return
	}
	if m.from.ID != "" && m.from.ID != p.cfg.Self.ID {
		p.mu.Lock()
		p.noteLocked(m.from)
		if pe := p.peers[m.from.ID]; pe != nil {
			pe.heard = time.Now()
		}
		p.mu.Unlock()
	}
	version, status := p.own.encoded()
	if m.incarnation == p.cfg.Self.Incarnation && m.version == version {
		status = nil
	}
	_, _ = w.Write(appendBeatAnswer(nil, &beatAnswer{node: p.cfg.Self, version: version, status: status}))
}

// ownStatus keeps this server's status for a moment, since every peer asks for it.
type ownStatus struct {
	make func() Status
	keep time.Duration

	mu      sync.Mutex
	at      time.Time
	last    *Status
	bytes   []byte
	version uint64
}

// status is what this server tells.
func (o *ownStatus) status() *Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refreshLocked()
	return o.last
}

// encoded is status with its version, which grows when it changes.
func (o *ownStatus) encoded() (version uint64, status []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refreshLocked()
	return o.version, o.bytes
}

func (o *ownStatus) refreshLocked() {
	if o.last != nil && time.Since(o.at) < o.keep {
		return
	}
	s := o.make()
	o.last, o.at = &s, time.Now()
	if b := appendStatus(nil, &s); o.version == 0 || !bytes.Equal(b, o.bytes) {
		o.bytes = b
		o.version++
	}
}

// readAll reads at most limit bytes; more is an error.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("a message of more than %d bytes", limit)
	}
	return data, err
}
