// Package metrics writes the text that Prometheus reads.
package metrics

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// ContentType is the media type of a Page.
const ContentType = "text/plain; version=0.0.4"

// Page is text in the format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
type Page struct{ Text []byte }

// Family begins a metric: its samples follow.
func (p *Page) Family(name, kind, help string) {
	p.Text = append(p.Text, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

// Sample writes a value with labels, given as names and values in turn.
func (p *Page) Sample(name string, value float64, labels ...string) {
	p.Text = append(p.Text, name...)
	for i := 0; i+1 < len(labels); i += 2 {
		before := ","
		if i == 0 {
			before = "{"
		}
		p.Text = append(p.Text, before+labels[i]+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(labels[i+1])+`"`...)
	}
	if len(labels) > 0 {
		p.Text = append(p.Text, '}')
	}
	p.Text = append(p.Text, ' ')
	p.Text = strconv.AppendFloat(p.Text, value, 'f', -1, 64)
	p.Text = append(p.Text, '\n')
}

// Process writes the standard metrics of a process in which leaks show.
func (p *Page) Process() {
	p.Family("go_goroutines", "gauge", "Number of goroutines that currently exist.")
	p.Sample("go_goroutines", float64(runtime.NumGoroutine()))
	if files, err := os.ReadDir("/proc/self/fd"); err == nil { // Linux
		p.Family("process_open_fds", "gauge", "Number of open file descriptors.")
		p.Sample("process_open_fds", float64(len(files)-1)) // without the descriptor of this ReadDir
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			if pages, err := strconv.Atoi(fields[1]); err == nil {
				p.Family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")
				p.Sample("process_resident_memory_bytes", float64(pages)*float64(os.Getpagesize()))
			}
		}
	}
}
