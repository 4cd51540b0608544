package position

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Behind is the error of positions that were not reached in time.
type Behind struct {
	// Query is the persistent query whose progress was waited for; empty when topics themselves were.
	Query string
	// Want is what it was to have read, Have how far it is; Have may hold more than was asked for.
	Want, Have Vector
}

// Error says how far it is where more was wanted.
func (b *Behind) Error() string {
	var parts []string
	for _, topic := range slices.Sorted(maps.Keys(b.Want)) {
		for _, p := range slices.Sorted(maps.Keys(b.Want[topic])) {
			want := b.Want[topic][p]
			have, ok := b.Have.Get(topic, p)
			switch {
			case want <= 0 || ok && have >= want:
				continue
			case len(parts) == maxBehind:
				return b.who() + strings.Join(parts, ", ") + ", and more"
			case !ok:
				parts = append(parts, fmt.Sprintf("nothing of topic %s, partition %d, up to offset %d of which was wanted", topic, p, want))
			default:
				parts = append(parts, fmt.Sprintf("topic %s, partition %d up to offset %d of the %d wanted", topic, p, have, want))
			}
		}
	}
	return b.who() + strings.Join(parts, ", ")
}

// maxBehind bounds the partitions that an error lists.
const maxBehind = 5

func (b *Behind) who() string {
	if b.Query == "" {
		return "there is "
	}
	return "query " + b.Query + " has read "
}
