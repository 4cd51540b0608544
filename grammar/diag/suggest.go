package diag

import "strings"

// maxSuggest is the longest name, in bytes, that is compared at all.
const maxSuggest = 64

// Suggest finds the candidate that name was most likely meant to be: equal
// but for case, or few typing errors away (insertion, deletion, exchange,
// swap of neighbours; one for short names, a third of the length for longer ones).
// Ties go to the first candidate.
func Suggest(name string, candidates []string) (string, bool) {
	if name == "" || len(name) > maxSuggest {
		return "", false
	}
	best, bestDistance := "", -1
	upper := strings.ToUpper(name)
	limit := max(1, min(3, len(name)/3))
	for _, c := range candidates {
		if c == name || c == "" || len(c) > maxSuggest {
			continue
		}
		d := distance(upper, strings.ToUpper(c))
		if d > limit || d >= len(name) {
			continue
		}
		if bestDistance < 0 || d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, bestDistance >= 0
}

// distance is the optimal string alignment distance (Damerau-Levenshtein
// without overlapping swaps), in bytes.
func distance(a, b string) int {
	if len(b) > len(a) {
		a, b = b, a
	}
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
