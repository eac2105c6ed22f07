package cache

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func someEntry() *entry {
	key := someKey()
	key.More = []string{"role \"a\"\n", "", "\x00\xff"}
	return &entry{
		Key: key, Renewed: time.Unix(1800000000, 5).UTC(), Expires: time.Unix(1800003600, 0).UTC(),
		AccessKeyID: "ASIA1", SecretAccessKey: "SECRET", SessionToken: "TOKEN", AccountID: "111122223333", Source: "test",
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, tried := range []time.Time{{}, time.Unix(1800000100, 0).UTC()} {
		e := someEntry()
		e.Tried = tried
		if got, ok := parse(e.format()); !ok || !reflect.DeepEqual(got, e) {
			t.Errorf("%+v\nis read as\n%+v", e, got)
		}
	}
}

// What parse accepts, format writes back byte by byte; truncated input is refused.
func FuzzParse(f *testing.F) {
	data := someEntry().format()
	f.Add(data)
	f.Add([]byte(header))
	f.Add(bytes.ReplaceAll(data, []byte(`"`), []byte("`")))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := parse(data)
		if !ok {
			return
		}
		if !bytes.Equal(e.format(), data) || !e.Renewed.Before(e.Expires) || !e.credentials().HasKeys() {
			t.Errorf("%q is read", data)
		}
		if _, ok := parse(data[:len(data)-1]); ok {
			t.Errorf("%q is read without its end", data)
		}
	})
}
