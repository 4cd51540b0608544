package kafka

import "context"

// StageOffsets flushes and adds offsets to the open transaction without
// ending it, as a process does that is killed in the middle of a commit.
func StageOffsets(ctx context.Context, p *Producer, member Member, offsets []OffsetCommit) error {
	if err := p.Flush(ctx); err != nil {
		return err
	}
	return p.commitOffsets(ctx, member, offsets)
}
