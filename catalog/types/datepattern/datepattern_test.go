package datepattern

import (
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types/zone"
)

func load(t *testing.T, id string) *time.Location {
	t.Helper()
	loc, err := zone.Load(id)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestFormat(t *testing.T) {
	const instant = 1526075913045 // 2018-05-11T21:58:33.045Z, a Friday
	tests := []struct{ pattern, zone, want string }{
		{"yyyy-MM-dd'T'HH:mm:ss.SSS", "UTC", "2018-05-11T21:58:33.045"},
		{"yy-M-d h:m:s a", "UTC", "18-5-11 9:58:33 PM"},
		{"EEE, EEEE, EEEEE, e, ee", "UTC", "Fri, Friday, F, 6, 06"},
		{"MMM MMMM MMMMM LLL", "UTC", "May May M May"},
		{"Q QQ QQQ QQQQ", "UTC", "2 02 Q2 2nd quarter"},
		{"G GGGG D DDD F W w YYYY", "UTC", "AD Anno Domini 131 131 4 2 19 2018"},
		{"k K A n S", "America/Los_Angeles", "14 2 53913045 45000000 0"},
		{"X XX XXX x xxx Z ZZZZ ZZZZZ O OOOO", "UTC", "Z Z Z +00 +00:00 +0000 GMT Z GMT GMT"},
		{"X XX XXX x xxx Z ZZZZ ZZZZZ O OOOO", "Asia/Kolkata", "+0530 +0530 +05:30 +0530 +05:30 +0530 GMT+05:30 +05:30 GMT+5:30 GMT+05:30"},
		{"zzz zzzz VV", "America/Los_Angeles", "PDT Pacific Daylight Time America/Los_Angeles"},
		{"zzz", "Europe/London", "BST"},
		{"zzz", "GMT", "GMT"},
		{"'it''s' '' yyyy", "UTC", "it's ' 2018"},
		{"yyyy[-MM[-dd]]", "UTC", "2018-05-11"},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		got, err := p.FormatTimestamp(nil, instant, load(t, tt.zone))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s in %s: got %s, %v, want %s", tt.pattern, tt.zone, got, err, tt.want)
		}
	}
}

func TestWeekYearAtTheTurnOfTheYear(t *testing.T) {
	p, err := Compile("YYYY 'W'w")
	if err != nil {
		t.Fatal(err)
	}
	for date, want := range map[string]string{"2022-12-31": "2022 W53", "2023-01-01": "2023 W1", "2024-12-29": "2025 W1", "2024-12-28": "2024 W52"} {
		day, err := time.Parse("2006-01-02", date)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.FormatDate(nil, day.Unix()/86400); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", date, got, err, want)
		}
	}
}

func TestParseTimestamp(t *testing.T) {
	tests := []struct{ pattern, text, zone, want string }{
		{"yyyy-MM-dd'T'HH:mm:ss", "2018-05-11T21:58:33", "", "2018-05-11T21:58:33Z"},
		{"yyyy-MM-dd'T'HH:mm:ss zzz", "2018-05-11T21:58:33 PST", "", "2018-05-12T04:58:33Z"},
		{"yyyy-MM-dd'T'HH:mm:ss zzz", "2018-05-11T21:58:33 Europe/Paris", "", "2018-05-11T19:58:33Z"},
		{"yyyy-MM-dd'T'HH:mm:ssX", "2018-05-11T21:58:33Z", "Asia/Tokyo", "2018-05-11T21:58:33Z"},
		{"yyyy-MM-dd'T'HH:mm:ss.SX", "2019-08-27T13:31:09.2+0000", "", "2019-08-27T13:31:09.2Z"},
		{"yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2019-08-27 13:31:09.123456789", "", "2019-08-27T13:31:09.123Z"},
		{"yy-MM-dd HH:mm:ssXXX", "19-08-27 13:31:09+02:00", "", "2019-08-27T11:31:09Z"},
		{"yyyyMMddHHmmssSSS", "20240501123456789", "", "2024-05-01T12:34:56.789Z"},
		{"yyyy", "2024", "", "2024-01-01T00:00:00Z"},
		{"HH:mm", "12:30", "Europe/Paris", "1970-01-01T11:30:00Z"},
		{"dd MMM yyyy h:mm a", "01 JAN 2022 1:05 pm", "", "2022-01-01T13:05:00Z"},
		{"EEEE, d MMMM yyyy", "saturday, 1 january 2022", "", "2022-01-01T00:00:00Z"},
		{"yyyy-MM-dd", "2023-02-31", "", "2023-02-28T00:00:00Z"},
		{"yyyy-DDD", "2024-366", "", "2024-12-31T00:00:00Z"},
		{"yyyy-MM-dd HH:mm", "2023-12-31 24:00", "", "2024-01-01T00:00:00Z"},
		{"YYYY-'W'ww-e", "2025-W01-1", "", "2024-12-29T00:00:00Z"},
		{"yyyy-MM-dd[ HH:mm]", "2024-05-01", "", "2024-05-01T00:00:00Z"},
		{"yyyy-MM-dd[ HH:mm]", "2024-05-01 10:20", "", "2024-05-01T10:20:00Z"},
		{"yyyy-MM-dd OOOO", "2024-05-01 GMT+05:30", "", "2024-04-30T18:30:00Z"},
		{"yyyy-MM-dd O", "2024-05-01 GMT+5", "", "2024-04-30T19:00:00Z"},
		{"u-M-d", "+12024-5-1", "", "error"},
		{"y-M-d", "-1-5-1", "", "-0001-05-01T00:00:00Z"},
		{"yyyy-MM-dd", "2024-13-01", "", "error"},
		{"yyyy-MM-dd", "2024-00-01", "", "error"},
		{"yyyy-MM-dd", "2024-1-01", "", "error"},
		{"yyyy-MM-dd", "2024-01-01x", "", "error"},
		{"yyyy-MM-dd", "12024-01-01", "", "error"},
		{"yyyy-MM-dd EEE", "2022-01-01 Sun", "", "error"},
		{"HH", "25", "", "error"},
		{"yyyy zzz", "2024 XYZ", "", "error"},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		var loc *time.Location
		if tt.zone != "" {
			loc = load(t, tt.zone)
		}
		got := "error"
		if ms, err := p.ParseTimestamp(tt.text, loc); err == nil {
			got = time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("%s of %q: got %s, want %s", tt.pattern, tt.text, got, tt.want)
		}
	}
}

func TestParseTimeAndDate(t *testing.T) {
	p, err := Compile("hh:mm a")
	if err != nil {
		t.Fatal(err)
	}
	if ms, err := p.ParseTime("12:30 am"); err != nil || ms != 30*60_000 {
		t.Errorf("got %d, %v", ms, err)
	}
	if _, err := p.FormatDate(nil, 0); err == nil {
		t.Error("a date has no hour")
	}
	d, err := Compile("d/M/yyyy")
	if err != nil {
		t.Fatal(err)
	}
	if days, err := d.ParseDate("11/5/2018"); err != nil || days != 17662 {
		t.Errorf("got %d, %v", days, err)
	}
	if _, err := d.ParseTime("11/5/2018"); err == nil || err.Error() != "Time format contains date field." {
		t.Errorf("got %v", err)
	}
	if _, err := d.FormatTime(nil, 0); err == nil {
		t.Error("a time has no year")
	}
}

func TestMalformedPatterns(t *testing.T) {
	for _, pattern := range []string{"b", "yyyy'", "]", "HHH", "V", "OO", "{", "#", "SSSSSSSSSS", strings.Repeat("[", 600)} {
		if _, err := Compile(pattern); err == nil {
			t.Errorf("%q was accepted", pattern)
		}
	}
}

func TestSimple(t *testing.T) {
	tests := []struct{ pattern, text, want string }{
		{"yyyy-MM-dd'Lit'", "2018-05-11Lit", "2018-05-11"},
		{"dd/MM/yyyy", "11/05/2019", "2019-05-11"},
		{"dd-MMM-yyyy", "01-JAN-2022", "2022-01-01"},
		{"MMM-yyyy", "January-2022", "2022-01-01"},
		{"yyyyMMdd", "20240501", "2024-05-01"},
		{"yyyy-MM-dd", "2022-2-30 and more", "2022-03-02"},
		{"yy-MM", "21-05", "2021-05-01"},
		{"yy-MM", "89-05", "1989-05-01"},
		{"yyyy-DDD", "2024-060", "2024-02-29"},
		{"yyyy HH", "2024 24", "2024-01-02"},
		{"yyyy", "x", "error"},
		{"yyyy-MM", "2024/05", "error"},
	}
	for _, tt := range tests {
		p, err := CompileSimple(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		got := "error"
		if ms, err := p.Parse(tt.text); err == nil {
			got = time.UnixMilli(ms).UTC().Format("2006-01-02")
		}
		if got != tt.want {
			t.Errorf("%s of %q: got %s, want %s", tt.pattern, tt.text, got, tt.want)
		}
	}
	for _, pattern := range []string{"b", "n", "yyyy'"} {
		if _, err := CompileSimple(pattern); err == nil {
			t.Errorf("%q was accepted", pattern)
		}
	}
}

// What a pattern prints it also reads, if it prints enough to know the instant.
func TestFormatThenParse(t *testing.T) {
	for _, pattern := range []string{"yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyyMMddHHmmssSSSZ", "EEEE d MMMM u h:mm:ss a n OOOO", "yyyy-DDD A xxx"} {
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, ms := range []int64{0, -1, 1526075913045, 253402300799999, -62135596800000} {
			text, err := p.FormatTimestamp(nil, ms, load(t, "America/New_York"))
			if err != nil {
				t.Fatal(err)
			}
			offset := time.UnixMilli(ms).In(load(t, "America/New_York"))
			if _, seconds := offset.Zone(); seconds%60 != 0 {
				continue // local mean time: these patterns print no seconds of the offset
			}
			if back, err := p.ParseTimestamp(string(text), nil); err != nil || back != ms {
				t.Errorf("%s: %d printed %s and read %d, %v", pattern, ms, text, back, err)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2019-08-27T13:31:09.200+00")
	f.Add("[EEE ]dd-MMM-yy h a zzz", "Mon 01-Jan-22 1 PM PST")
	f.Add("YYYY'W'wwe", "2025W011")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if p, err := Compile(pattern); err == nil {
			_, _ = p.ParseTimestamp(text, time.UTC)
			_, _ = p.ParseTime(text)
			_, _ = p.ParseDate(text)
			_, _ = p.FormatTimestamp(nil, 1526075913045, time.UTC)
		}
		if s, err := CompileSimple(pattern); err == nil {
			_, _ = s.Parse(text)
		}
	})
}
