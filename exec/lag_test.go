package exec

import (
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// TestReach plays what is seen of a partition and what is committed, second by second.
func TestReach(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	type step struct {
		second        float64
		end, position int64
		// reached is the second as of which all is processed; -1 when that is not known.
		reached float64
	}
	tests := map[string][]step{
		"always at the end": {{1, 10, 10, 1}, {2, 20, 20, 2}, {3, 20, 20, 3}},
		"never at the end, always one step behind": {
			{1, 10, 0, -1}, {2, 20, 10, 1}, {3, 30, 20, 2}, {4, 40, 30, 3}, {5, 50, 40, 4},
		},
		"stands still":         {{1, 10, 10, 1}, {2, 20, 10, 1}, {30, 300, 10, 1}, {31, 300, 20, 2}, {32, 300, 299, 2}, {33, 300, 300, 33}},
		"brokers out of reach": {{1, 10, 10, 1}, {1, 10, 10, 1}, {1, 10, 10, 1}},
		"not from the start":   {{1, 1000, 0, -1}, {2, 1000, 500, -1}, {3, 1000, 1000, 3}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r reach
			for _, s := range steps {
				r.saw(s.end, start.Add(time.Duration(s.second*float64(time.Second))))
				r.passed(s.position)
				have := -1.0
				if !r.at.IsZero() {
					have = r.at.Sub(start).Seconds()
				}
				if have != s.reached {
					t.Errorf("at second %v with end %d and position %d: reached %v, want %v", s.second, s.end, s.position, have, s.reached)
				}
			}
		})
	}
}

// TestReachIsBounded falls behind for hours and catches up: the memory is bounded, and the lag is told within a few percent.
func TestReachIsBounded(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	var r reach
	for i := range int64(100_000) {
		r.saw(i, start.Add(time.Duration(i)*100*time.Millisecond))
		r.passed(0)
		if len(r.ends) > reachEnds {
			t.Fatalf("%d ends are remembered", len(r.ends))
		}
	}
	now := start.Add(100_000 * 100 * time.Millisecond)
	for _, position := range []int64{10_000, 40_000, 70_000, 90_000} {
		r.passed(position)
		have, want := now.Sub(r.at), time.Duration(100_000-position)*100*time.Millisecond
		if have < want || have > want+now.Sub(start)/20 {
			t.Errorf("at position %d the lag is %v, want about %v", position, have, want)
		}
	}
	r.passed(99_999)
	if len(r.ends) != 0 || r.spacing != reachSpacing {
		t.Errorf("%d ends, spacing %v after all was processed", len(r.ends), r.spacing)
	}
}

func TestLagTime(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	input := func(committed, end int64, reached time.Time, streamTime int64) InputStatus {
		return InputStatus{TopicPartition: kafka.TopicPartition{Topic: "t"}, Committed: committed, End: end, Reached: reached, StreamTime: streamTime}
	}
	tests := map[string]struct {
		task      TaskStatus
		lag       time.Duration
		remaining int64
	}{
		"nothing left":            {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(5, 5, ago(time.Second), 0)}}, 0, 0},
		"nothing left, long ago":  {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(5, 5, ago(time.Minute), 0)}}, time.Minute, 0},
		"behind":                  {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(5, 9, ago(time.Second), 0), input(0, 1, ago(2*time.Second), 0)}}, 2 * time.Second, 5},
		"from the record's time":  {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(5, 9, time.Time{}, ago(time.Hour).UnixMilli())}}, time.Hour, 4},
		"a record of the future":  {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(5, 9, time.Time{}, now.UnixMilli()+1000)}}, 0, 4},
		"nothing known":           {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(0, 9, time.Time{}, 0)}}, UnknownLag, 9},
		"nothing left, not seen":  {TaskStatus{State: TaskRunning, Inputs: []InputStatus{input(9, 9, time.Time{}, 1000)}}, UnknownLag, 0},
		"no inputs":               {TaskStatus{State: TaskCreated}, UnknownLag, 0},
		"restoring":               {TaskStatus{State: TaskRestoring, RestoredRows: 3, RestoreTotal: 10, Inputs: []InputStatus{input(0, 0, time.Time{}, 0)}}, UnknownLag, 7},
		"standby at the end":      {TaskStatus{State: TaskStandby, CaughtUp: ago(time.Second), Stores: []StoreStatus{{Position: 4, End: 4}}}, 0, 0},
		"standby behind":          {TaskStatus{State: TaskStandby, CaughtUp: ago(time.Second), Stores: []StoreStatus{{Position: 4, End: 6}}}, time.Second, 2},
		"standby in its first go": {TaskStatus{State: TaskStandby, Stores: []StoreStatus{{Position: 4, End: 6}}}, UnknownLag, 2},
	}
	for name, tt := range tests {
		if have := tt.task.LagTime(now); have != tt.lag {
			t.Errorf("%s: lag %v, want %v", name, have, tt.lag)
		}
		if have := tt.task.Remaining(); have != tt.remaining {
			t.Errorf("%s: %d remain, want %d", name, have, tt.remaining)
		}
	}
}
