package hostlist

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kedge/internal/dn"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const text = "\xef\xbb\xbfname, Host,dns,uri,ip,email,profile,lifetime\r\n" +
		"web-01,rack7,a.example.com  b.example.com,spiffe://example.org/web,10.0.0.1 2001:db8::1,ops@example.com,web,720h\r\n" +
		"\r\n" +
		"\"db-01\", ,,,,,,\r\n"
	rows, err := Parse("hosts.csv", strings.NewReader(text))
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	r := rows[0]
	got := fmt.Sprintln(r.Line, r.Name, r.Host, r.Profile, r.Lifetime, r.Names.DNS, r.Names.URIs, r.Names.IPs, r.Names.Emails)
	if want := "2 web-01 rack7 web 720h0m0s [a.example.com b.example.com] [spiffe://example.org/web] [10.0.0.1 2001:db8::1] [ops@example.com]\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if r := rows[1]; r.Line != 4 || r.Name != "db-01" || r.Host != "db-01" || r.Profile != "" || r.Lifetime != time.Duration(0) || r.Names.DNS != nil {
		t.Errorf("%+v", r)
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", "hosts.csv is empty; its first line must name the columns, such as name,host,dns"},
		{"name\n", "hosts.csv names no host"},
		{"host\nweb\n", `hosts.csv:1: the column "name" is missing`},
		{"name,color\n", `hosts.csv:1: the first line must name the columns, such as name,host,dns: "color" is none of name, host, dns, uri, ip, email, profile, lifetime`},
		{"name,name\n", `hosts.csv:1: the column "name" is there twice`},
		{"name,host\nweb-01\n", "hosts.csv:2: has 1 fields; the header has 2"},
		{"name\nweb-01\n\nweb-01\n", `hosts.csv:4: name: "web-01" is there in line 2 already, or has the same file names`},
		{"name\na/b\nA:b\n", `hosts.csv:3: name: "A:b" is there in line 2 already, or has the same file names`},
		{"name\n..\n", `hosts.csv:2: name: ".." has nothing to call files after`},
		{"name,host\n,rack\n", `hosts.csv:2: name: "" has nothing to call files after`},
		{"name,uri\nweb,example\n", `hosts.csv:2: uri: "example" is not a URI, such as spiffe://example.org/web`},
		{"name,ip\nweb,10.0.0\n", `hosts.csv:2: ip: "10.0.0" is not an IP address`},
		{"name,lifetime\nweb,1w\n", "hosts.csv:2: lifetime: write hours or days, such as 12h or 30d"},
		{"name,lifetime\nweb,-1h\n", "hosts.csv:2: lifetime: -1h is not a time to live"},
		{"name\n\"web\n", `hosts.csv:2: a quotation mark is missing, or one is too many`},
		{"n\x00a\x00", "hosts.csv is not UTF-8 text"},
		{"name\nb\xfcro\n", "hosts.csv is not UTF-8 text"},
	}
	for _, tt := range tests {
		if rows, err := Parse("hosts.csv", strings.NewReader(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v\n%v\nwant %s", tt.text, rows, err, tt.want)
		}
	}
}

// FuzzParse: what is read has a name for files, which no other row has.
func FuzzParse(f *testing.F) {
	f.Add("name,dns\nweb,a b\n")
	f.Add("name,lifetime,ip,uri\r\n\"web\",1h,::1,spiffe://a/b\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := Parse("hosts.csv", strings.NewReader(text))
		if (err == nil) != (len(rows) > 0) {
			t.Fatal(rows, err)
		}
		seen := map[string]bool{}
		for _, r := range rows {
			files := dn.FileName(r.Name)
			if files == "" || seen[files] || strings.ContainsAny(files, `/\`) || r.Line < 2 || r.Host == "" {
				t.Errorf("%+v", r)
			}
			seen[files] = true
		}
		if err != nil && !strings.HasPrefix(err.Error(), "hosts.csv") {
			t.Error(err)
		}
	})
}
