package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run the real main as a process: the test binary under another name.
func TestMain(m *testing.M) {
	programs := map[string]func(){"kedge": main, "aws_signing_helper": main, "sdk-identity": sdkIdentity, "swapper": swapper}
	if programs[filepath.Base(os.Args[0])] == nil {
		os.Unsetenv("XDG_RUNTIME_DIR") // the cache of whoever runs the tests is none of theirs
		resolveOnly("rolesanywhere.eu-west-1.amazonaws.com.")
	}
	testscript.Main(m, programs)
}

// TestScript runs testdata/script/<command>/*.txtar. Besides testscript's own commands they have
// those of [script] below.
func TestScript(t *testing.T) {
	dirs, err := filepath.Glob("testdata/script/*")
	if err != nil || dirs == nil {
		t.Fatal("no scripts")
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 dir,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				UpdateScripts:       os.Getenv("KEDGE_UPDATE_SCRIPTS") != "",
				Setup: func(env *testscript.Env) error {
					env.Values[enrollmentKey{}] = &enrollment{}
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"ca":            script(makeCA),
					"cert":          script(makeCert),
					"emulator":      script(startEmulator),
					"fault":         script(injectFault),
					"expand":        script(expand),
					"exits":         script(exits),
					"serves":        script(serves),
					"serves-config": script(servesConfig),
					"session":       script(exitsSession),
					"role":          script(exitsRole),
					"as-nobody":     script(asNobody),
					"no-reader":     script(noReader),
					"says":          script(says),
					"taken-port":    script(takePort),
					"verify-sig":    script(verifySignature),
					"tpm":           script(startTPM),
					"softhsm":       script(startSoftHSM),
					"cross":         script(makeCross),
					"certify":       script(certifyRequest),
					"enrollment":    script(setEnrollment),
					"token":         script(makeToken),
				},
			})
		})
	}
}

// script is a command that cannot be negated.
func script(run func(ts *testscript.TestScript, args []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, negated bool, args []string) {
		if negated {
			ts.Fatalf("this command cannot be negated")
		}
		run(ts, args)
	}
}
