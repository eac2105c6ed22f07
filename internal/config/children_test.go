package config

import (
	"slices"
	"testing"
)

func TestChildEnvironment(t *testing.T) {
	t.Setenv("KEDGE_TEST_PIN", "1234")
	t.Setenv("KEDGE_TEST_OTHER", "kept")
	if all := ChildEnvironment(); !slices.Contains(all, "KEDGE_TEST_PIN=1234") {
		t.Error("without references something is left out")
	}
	all := ChildEnvironment("env:KEDGE_TEST_PIN", "KEDGE_TEST_OTHER", "fd:3", "")
	if slices.Contains(all, "KEDGE_TEST_PIN=1234") || !slices.Contains(all, "KEDGE_TEST_OTHER=kept") {
		t.Error(all)
	}
}
