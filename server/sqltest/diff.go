package sqltest

import "fmt"

const (
	// maxAligned bounds the records that are aligned with each other; beyond it they are compared by their place.
	maxAligned = 300
	// maxDiffLines bounds the lines that are shown, around how many records that are as expected stand around a difference.
	maxDiffLines = 40
	around       = 2
)

// diffRecords shows how records differ from the expected ones.
func diffRecords(want []*fileRecord, got []fileRecord, same func(i, k int) bool) []DiffLine {
	var lines []DiffLine
	i, k := 0, 0
	lost := func(to int) {
		for ; i < to; i++ {
			lines = append(lines, DiffLine{'-', want[i].text()})
		}
	}
	extra := func(to int) {
		for ; k < to; k++ {
			lines = append(lines, DiffLine{'+', got[k].text()})
		}
	}
	for _, pair := range aligned(len(want), len(got), same) {
		lost(pair[0])
		extra(pair[1])
		lines = append(lines, DiffLine{' ', got[k].text()})
		i, k = i+1, k+1
	}
	lost(len(want))
	extra(len(got))
	return shorten(lines)
}

// aligned pairs the records that are the same: a longest common subsequence.
func aligned(n, m int, same func(i, k int) bool) [][2]int {
	var pairs [][2]int
	if n > maxAligned || m > maxAligned {
		for i := range min(n, m) {
			if same(i, i) {
				pairs = append(pairs, [2]int{i, i})
			}
		}
		return pairs
	}
	// length[i][k] is that of the longest one of what is behind i and k.
	length := make([][]int, n+1)
	equal := make([][]bool, n)
	length[n] = make([]int, m+1)
	for i := n - 1; i >= 0; i-- {
		length[i], equal[i] = make([]int, m+1), make([]bool, m)
		for k := m - 1; k >= 0; k-- {
			if equal[i][k] = same(i, k); equal[i][k] {
				length[i][k] = length[i+1][k+1] + 1
			} else {
				length[i][k] = max(length[i+1][k], length[i][k+1])
			}
		}
	}
	for i, k := 0, 0; i < n && k < m; {
		switch {
		case equal[i][k]:
			pairs = append(pairs, [2]int{i, k})
			i, k = i+1, k+1
		case length[i+1][k] >= length[i][k+1]:
			i++
		default:
			k++
		}
	}
	return pairs
}

// shorten leaves out what is the same far from any difference, and what goes beyond a screen.
func shorten(lines []DiffLine) []DiffLine {
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l.Sign != ' ' {
			for k := max(0, i-around); k <= min(len(lines)-1, i+around); k++ {
				near[k] = true
			}
		}
	}
	var out []DiffLine
	for i := 0; i < len(lines); i++ {
		if len(out) >= maxDiffLines {
			return append(out, DiffLine{' ', fmt.Sprintf("… %d more records", len(lines)-i)})
		}
		if near[i] {
			out = append(out, lines[i])
			continue
		}
		from := i
		for i+1 < len(lines) && !near[i+1] {
			i++
		}
		out = append(out, DiffLine{' ', fmt.Sprintf("… %d as expected", i-from+1)})
	}
	return out
}
