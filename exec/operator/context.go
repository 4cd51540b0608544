package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Operator takes the records that flow into it. Single-threaded.
type Operator interface {
	// Process handles one record, which is valid during the call only. An error is a failure of state or host and ends the
	// interval; errors in the record are effects.
	Process(r *record.Record) error
}

// Reader takes the records of one input of a stage. Single-threaded.
type Reader interface {
	// Input is the index of the input in the stage.
	Input() int
	// Read processes one record; its errors are as those of [Operator].
	Read(m *record.Message) error
	// Time is the timestamp by which a record is ordered against those of other inputs. Nothing changes by it.
	Time(m *record.Message) int64
}

// Config is what the operators of one task are built from.
type Config struct {
	Stage *physical.Stage
	// Output of a push query; nil for a persistent one.
	Output    *physical.Output
	Partition int32
	// State is nil if the stage has no stores.
	State     *state.Task
	Functions *functions.Registry
	Formats   *formats.Registry
	Env       *functions.Env
	// CacheBytes above 0 lets aggregates emit at flush only.
	CacheBytes int64
	Effects    Effects
}

// Context is what the operators of one task share: configuration, effects, and the record in hand.
type Context struct {
	Config
	clocks []*Clock

	acc    *Accounting
	topic  string
	offset int64
	// headers of the record in hand: as in Kafka Streams they go on with everything that it causes.
	headers []record.Header
	fate    fate
	time    int64
	// stopped is why the record in hand must come again.
	stopped error

	scratch Accounting
	out     Output
	row     Row
}

// NewContext makes the context of a task.
func NewContext(cfg Config) *Context {
	c := &Context{Config: cfg, offset: -1}
	c.acc = &c.scratch
	return c
}

// Begin starts the processing of one input record, which is counted in acc.
func (c *Context) Begin(acc *Accounting, topic string, m *record.Message) {
	c.acc, c.topic, c.offset, c.headers, c.fate, c.time, c.stopped = acc, topic, m.Offset, m.Headers, fateNone, noTime, nil
}

// Stopped says why what was processed last must come again: nothing of it may be committed. It is the schema registry that has
// failed, not the record.
func (c *Context) Stopped() error { return c.stopped }

// End closes the record: its fate is counted. It returns the record's extracted timestamp, or false if none of its
// sources took it.
func (c *Context) End() (time int64, ok bool) {
	a := c.acc
	a.Read++
	switch c.fate {
	case fateNone, fateFiltered:
		a.Filtered++
	case fateNullKey:
		a.NullKey++
	case fateLate:
		a.Late++
	case fateError:
		a.Errors++
	case fateKept, fateAggregated:
		a.Merged++
	case fateEmitted:
		a.Emitted++
	}
	return c.time, c.time != noTime
}

// BeginFlush says that what follows is not the doing of one record.
func (c *Context) BeginFlush() { c.offset, c.headers, c.fate, c.stopped = -1, nil, fateNone, nil }

func (c *Context) mark(f fate) {
	if f > c.fate {
		c.fate = f
	}
}

// fail reports an error in the record in hand.
func (c *Context) fail(step string, kind ErrorKind, isKey, skipped bool, reason string) {
	c.acc.RecordErrors++
	if skipped {
		c.mark(fateError)
	}
	c.Effects.RecordError(&RecordError{
		Stage: c.Stage.ID, Step: step, Kind: kind, Topic: c.topic, Partition: c.Partition, Offset: c.offset,
		Reason: reason, IsKey: isKey, Skipped: skipped,
	})
}

// formatFailed reports that the record in hand could not be read or written, or stops when that is no fault of the record.
func (c *Context) formatFailed(step string, kind ErrorKind, isKey, skipped bool, err error) {
	if schemas.IsRegistryFailure(err) {
		c.stopped = err
		return
	}
	c.fail(step, kind, isKey, skipped, err.Error())
}

// columnFailed reports that a column became null because its expression failed.
func (c *Context) columnFailed(step, column string, err error) {
	c.fail(step, ProcessingError, false, false, fmt.Sprintf("column %s: %v", types.QuoteName(column), err))
}

// conditionFailed reports that a condition, or a guarded place in it, failed.
func (c *Context) conditionFailed(step string, err error, skipped bool) {
	c.fail(step, ProcessingError, false, skipped, "condition: "+err.Error())
}

// emit produces c.out and counts it.
func (c *Context) emit() error {
	c.mark(fateEmitted)
	c.acc.Outputs++
	c.out.Headers = c.headers
	return c.Effects.Output(&c.out)
}

// store finds a store of the stage by name.
func (c *Context) store(name string) (*physical.Store, error) {
	for _, s := range c.Stage.Stores {
		if s.Name == name {
			if c.State == nil {
				return nil, fmt.Errorf("store %s: the task has no state", name)
			}
			return s, nil
		}
	}
	return nil, fmt.Errorf("store %s is not in the plan", name)
}

// Clock is the stream time of one operator: the largest timestamp it has seen in its partition.
type Clock struct {
	name string
	time int64
}

const noTime = -1 << 63

// newClock makes the clock of an operator; the name is unique in the stage.
func (c *Context) newClock(name string) *Clock {
	k := &Clock{name: name, time: noTime}
	c.clocks = append(c.clocks, k)
	return k
}

// Clocks lists the stream times of all operators in the order in which they were built.
func (c *Context) Clocks() []*Clock { return c.clocks }

// Name is the step's name, unique in the stage.
func (k *Clock) Name() string { return k.name }

// Now is the stream time; false before the first record.
func (k *Clock) Now() (int64, bool) { return k.time, k.time != noTime }

// Set puts the clock to a restored time.
func (k *Clock) Set(t int64) { k.time = t }

// Reset puts the clock to before the first record.
func (k *Clock) Reset() { k.time = noTime }

// advance moves the clock by a record's timestamp and returns it.
func (k *Clock) advance(t int64) int64 {
	if t > k.time {
		k.time = t
	}
	return k.time
}
