package zone

import (
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	at := time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	for id, want := range map[string]int{
		"Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "UTC+1": 3600, "GMT-0230": -9000, "UT+02:00": 7200, "+2": 7200, "-02": -7200,
		"+0530": 19800, "+05:30:15": 19815, "Europe/Paris": 7200, "America/Los_Angeles": -25200, "EST": -18000, "CET": 7200,
	} {
		loc, err := Load(id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if _, got := at.In(loc).Zone(); got != want {
			t.Errorf("%s: offset %d, want %d", id, got, want)
		}
	}
	for _, id := range []string{"", "PDT", "PST", "Local", "+19", "+1:00", "+00:60", "UTC+", "Nowhere/City", "../etc/passwd", "+02:00:0"} {
		if loc, err := Load(id); err == nil {
			t.Errorf("%q was accepted as %s", id, loc)
		} else if want := "Invalid time zone: " + id; err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
