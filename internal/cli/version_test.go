package cli

import (
	"encoding/json"
	"runtime"
	"testing"
)

func TestVersionJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Schema                         int
		Program, Version, Go, Platform string
	}
	if err := json.Unmarshal([]byte(versionJSON("demo", "1.2.3-rc.1+abc")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != 1 || got.Program != "demo" || got.Version != "1.2.3-rc.1+abc" || got.Go != runtime.Version() || got.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%+v", got)
	}
}
