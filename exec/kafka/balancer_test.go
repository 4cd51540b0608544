package kafka

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAssignTasks(t *testing.T) {
	const none = noOwner
	for _, c := range []struct {
		name    string
		claims  []int
		members int
		want    []int
	}{
		{"one member takes all", []int{none, none, none}, 1, []int{0, 0, 0}},
		{"even", []int{none, none, none, none}, 2, []int{0, 0, 1, 1}},
		{"odd", []int{none, none, none}, 2, []int{0, 0, 1}},
		{"stays", []int{1, 0, 1, 0}, 2, []int{1, 0, 1, 0}},
		{"a second joins: half moves", []int{0, 0, 0, 0}, 2, []int{0, 0, 1, 1}},
		{"who has more keeps one more", []int{1, 1, 0}, 2, []int{1, 1, 0}},
		{"a member left", []int{0, none, 1, none}, 2, []int{0, 0, 1, 1}},
		{"more members than tasks", []int{2, none}, 3, []int{2, 0}},
		{"nothing to assign", nil, 3, []int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := assignTasks(c.claims, c.members); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestClaimsOfAnOlderGenerationAreVoid(t *testing.T) {
	owned := func(p ...int32) map[string][]int32 { return map[string][]int32{"t": p} }
	members := []BalancerMember{{Generation: 4, Owned: owned(0, 1)}, {Generation: 5, Owned: owned(1)}}
	if got := taskClaims(members, 3); !slices.Equal(got, []int{0, 1, noOwner}) {
		t.Errorf("claims %v", got)
	}
}

func TestTasksMeet(t *testing.T) {
	members := []BalancerMember{{ID: "a", Topics: []string{"left", "right"}}, {ID: "b", Topics: []string{"left", "right"}}}
	plan := TaskBalancer{}.Balance(members, map[string]int32{"left": 5, "right": 5})
	seen := 0
	for _, assigned := range plan {
		topics := assigned.Partitions
		if !slices.Equal(topics["left"], topics["right"]) {
			t.Errorf("%v do not meet", topics)
		}
		seen += len(topics["left"])
	}
	if seen != 5 {
		t.Errorf("%d of 5 tasks assigned", seen)
	}
}

// TestAssignTasksInvariants tries random groups: each task has one owner,
// shares differ by one at most, nobody gives up more than the shares ask.
func TestAssignTasksInvariants(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		members, tasks := 1+rng.IntN(6), rng.IntN(20)
		claims := make([]int, tasks)
		before := make([]int, members)
		for p := range claims {
			if claims[p] = rng.IntN(members+1) - 1; claims[p] != noOwner {
				before[claims[p]]++
			}
		}
		owners := assignTasks(claims, members)
		got, kept := make([]int, members), make([]int, members)
		for p, m := range owners {
			got[m]++
			if claims[p] == m {
				kept[m]++
			}
		}
		for m := range members {
			if got[m] < tasks/members || got[m] > (tasks+members-1)/members || kept[m] < min(before[m], got[m]) {
				t.Fatalf("claims %v, %d members: owners %v", claims, members, owners)
			}
		}
	}
}
