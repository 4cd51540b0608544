package sim

// runRandom reads everything there is, in an order and in portions that chance decides; some intervals are lost.
func (q *Query) runRandom(sched Schedule) (moved bool, err error) {
	for {
		busy := q.readable()
		if len(busy) == 0 {
			return moved, nil
		}
		moved = true
		// Several tasks may move within one interval.
		for range 1 + sched.Rand.IntN(3) {
			t := busy[sched.Rand.IntN(len(busy))]
			input, ok := t.next()
			if !ok {
				continue
			}
			if err := q.step(t, input, 1+sched.Rand.IntN(max(sched.MaxBatch, 1))); err != nil {
				return moved, err
			}
		}
		switch chance := sched.Rand.Float64(); {
		case chance < sched.Kill*sched.Wipe:
			err = q.Wipe()
		case chance < sched.Kill:
			err = q.Kill()
		default:
			err = q.Commit()
		}
		if err != nil {
			return moved, err
		}
	}
}

// readable lists the tasks that have something to read.
func (q *Query) readable() []*runningTask {
	var out []*runningTask
	for _, t := range q.tasks {
		if _, ok := t.next(); ok {
			out = append(out, t)
		}
	}
	return out
}
