package main

import "strings"

// firstLine is a statement on one line, cut to what a line holds.
func firstLine(sql string) string {
	s := strings.Join(strings.Fields(sql), " ")
	const most = 100
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
