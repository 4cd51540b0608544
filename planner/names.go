package planner

import (
	"fmt"
)

// namer makes the names of a query's internal topics and stores, exactly as ksqlDB does.
type namer struct {
	app string
	// nodes counts the processors that Kafka Streams would have numbered so far: the stores of stream-stream joins carry
	// such a number in their name.
	nodes int
}

// persistentQueryID is CSAS_X_7 and its kin.
func persistentQueryID(prefix, sink string, n int64) string {
	if sink == "" {
		return fmt.Sprintf("%s_%d", prefix, n)
	}
	return fmt.Sprintf("%s_%s_%d", prefix, sink, n)
}

// newNamer makes the names of a query; kind is query_ for persistent ones and transient_ for push queries.
func newNamer(serviceID, kind, queryID string) *namer {
	return &namer{app: "_confluent-ksql-" + serviceID + kind + queryID}
}

func (n *namer) repartition(step string) string { return n.app + "-" + step + "-repartition" }

func (n *namer) changelog(store string) string { return n.app + "-" + store + "-changelog" }

// What each step adds to the count of processors.
const (
	streamSourceNodes      = 3 // source, pseudo columns, prefixed names
	tableSourceNodes       = 6
	streamRepartitionNodes = 4 // key, null filter, topic out and in
	tableRepartitionNodes  = 6
)

func (n *namer) add(nodes int) { n.nodes += nodes }

// streamJoin names the stores of a stream-stream join; the names say which side may lack a partner.
func (n *namer) streamJoin(leftOuter, rightOuter bool) (left, right, shared string) {
	n.nodes += 2 // the windows of both sides
	this, other := "JOINTHIS", "JOINOTHER"
	if rightOuter {
		this = "OUTERTHIS"
	}
	if leftOuter {
		other = "OUTEROTHER"
	}
	left = fmt.Sprintf("KSTREAM-%s-%010d-store", this, n.nodes)
	right = fmt.Sprintf("KSTREAM-%s-%010d-store", other, n.nodes+1)
	shared = fmt.Sprintf("KSTREAM-OUTERSHARED-%010d-store", n.nodes)
	n.nodes += 3 // both, and their merge
	return left, right, shared
}

// foreignKeyJoin names the topics and the store of a foreign-key join.
func (n *namer) foreignKeyJoin() (subscriptions, store, answers string) {
	name := func(word string, at int) string {
		return fmt.Sprintf("KTABLE-FK-JOIN-SUBSCRIPTION-%s-%010d", word, n.nodes+at)
	}
	subscriptions = n.app + "-" + name("REGISTRATION", 0) + "-topic"
	store = name("STATE-STORE", 4)
	answers = n.app + "-" + name("RESPONSE", 8) + "-topic"
	n.nodes += 13
	return subscriptions, store, answers
}
