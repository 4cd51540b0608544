package queries

import "testing"

func TestEveryProgramLoads(t *testing.T) {
	names := Names()
	if len(names) < 5 {
		t.Fatalf("programs: %v", names)
	}
	for _, n := range names {
		p, err := Load(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Files) == 0 || len(p.Steps) == 0 || len(p.Checks) == 0 || p.Readme == "" {
			t.Errorf("%s: incomplete: %d files, %d steps, %d checks", n, len(p.Files), len(p.Steps), len(p.Checks))
		}
		for _, c := range p.Checks {
			if len(c.Rows) == 0 {
				t.Errorf("%s: %s expects no row", n, c.Query)
			}
		}
	}
	if _, err := Load("nothing"); err == nil {
		t.Error("a missing program loaded")
	}
}
