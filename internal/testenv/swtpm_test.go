package testenv_test

import (
	"strings"
	"testing"

	"kedge/internal/testenv"
)

func TestSwtpm(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *testenv.SwtpmServer{"unix": testenv.Swtpm, "tcp": testenv.SwtpmTCP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.Run(t, t.TempDir(), "tpm2_createprimary", "-C", "o", "-G", "ecc")
			if got := s.Transient(t); got != "" {
				t.Errorf("left behind: %s", got)
			}
			s.Stop(t)
			s.Start(t)
			if got := s.Run(t, t.TempDir(), "tpm2_getcap", "properties-fixed"); !strings.Contains(string(got), "TPM2_PT_MANUFACTURER") {
				t.Errorf("after a restart: %s", got)
			}
		})
	}
}
