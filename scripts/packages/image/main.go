// Command image writes an OCI image layout with one static program, without a daemon: for Linux on one or more
// architectures, as an index. What it writes depends on its arguments, the files and $SOURCE_DATE_EPOCH alone.
//
// usage: image -out FOLDER -name NAME -version VERSION -user UID -certificates FILE ARCH=PROGRAM...
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// image is what is the same for all architectures.
type image struct {
	name, version string
	uid           int
	certificates  []byte // in PEM: the CAs by which servers of AWS are verified
	date          time.Time
}

func run(args []string) error {
	var i image
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	out := flags.String("out", "", "folder to write to")
	certificates := flags.String("certificates", "", "PEM file with the CA certificates of the image")
	flags.StringVar(&i.name, "name", "", "program")
	flags.StringVar(&i.version, "version", "", "version")
	flags.IntVar(&i.uid, "user", 0, "UID and GID")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || i.name == "" || i.version == "" || i.uid <= 0 || flags.NArg() == 0 {
		return errors.New("usage: image -out FOLDER -name NAME -version VERSION -user UID -certificates FILE ARCH=PROGRAM [ARCH=PROGRAM...]")
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	i.date = time.Unix(seconds, 0).UTC()
	if i.certificates, err = os.ReadFile(*certificates); err != nil {
		return err
	}
	if !bytes.Contains(i.certificates, []byte("-----BEGIN CERTIFICATE-----")) {
		return fmt.Errorf("%s has no certificates", *certificates)
	}
	return i.write(*out, flags.Args())
}

// write writes the layout of an image for each architecture.
func (i image) write(out string, programs []string) error {
	l := layout{dir: out}
	if err := os.MkdirAll(filepath.Join(out, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	index := newIndex()
	for _, arg := range programs {
		arch, path, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%s is not ARCH=PROGRAM", arg)
		}
		program, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		manifest, err := i.add(l, arch, program)
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, manifest)
	}
	return l.finish(index, i.version)
}

// add writes the blobs of the image for an architecture.
func (i image) add(l layout, arch string, program []byte) (descriptor, error) {
	tarball, err := i.layer(program)
	if err != nil {
		return descriptor{}, err
	}
	compressed, err := gzipped(tarball)
	if err != nil {
		return descriptor{}, err
	}
	layer, err := l.blob(layerType, compressed)
	if err != nil {
		return descriptor{}, err
	}
	config, err := l.document(configType, i.config(arch, digest(tarball)))
	if err != nil {
		return descriptor{}, err
	}
	manifest, err := l.document(manifestType, newManifest(config, layer, i.labels()))
	manifest.Platform = &platform{Architecture: arch, OS: "linux"}
	return manifest, err
}

// labels are the annotations of the image specification.
func (i image) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":    i.name,
		"org.opencontainers.image.version":  i.version,
		"org.opencontainers.image.created":  i.date.Format(time.RFC3339),
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
}

// config lets the program run as a user without rights, in a folder that it owns.
func (i image) config(arch, diff string) config {
	return config{
		Created: i.date.Format(time.RFC3339), Architecture: arch, OS: "linux",
		Config: runConfig{
			User: fmt.Sprintf("%[1]d:%[1]d", i.uid), Entrypoint: []string{"/usr/bin/" + i.name}, Cmd: []string{"--help"},
			Env: []string{"PATH=/usr/bin", "HOME=" + i.state()}, WorkingDir: i.state(), Labels: i.labels(),
		},
		RootFS: rootFS{Type: "layers", DiffIDs: []string{diff}},
	}
}

func (i image) state() string { return "/var/lib/" + i.name }
