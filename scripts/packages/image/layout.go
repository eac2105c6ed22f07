package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
)

// Media types of the OCI image specification 1.1.
const (
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
	configType   = "application/vnd.oci.image.config.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

// descriptor names a blob: descriptor.md of the specification.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

// manifest is the image for an architecture: manifest.md.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations"`
}

func newManifest(config, layer descriptor, labels map[string]string) manifest {
	return manifest{SchemaVersion: 2, MediaType: manifestType, Config: config, Layers: []descriptor{layer}, Annotations: labels}
}

// index lists images: image-index.md.
type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

func newIndex() index { return index{SchemaVersion: 2, MediaType: indexType} }

// config is how the program runs: config.md.
type config struct {
	Created      string    `json:"created"`
	Architecture string    `json:"architecture"`
	OS           string    `json:"os"`
	Config       runConfig `json:"config"`
	RootFS       rootFS    `json:"rootfs"`
}

type runConfig struct {
	User       string
	Entrypoint []string
	Cmd        []string
	Env        []string
	WorkingDir string
	Labels     map[string]string
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// layout is a folder of blobs: image-layout.md.
type layout struct{ dir string }

// blob writes bytes under their digest.
func (l layout) blob(mediaType string, data []byte) (descriptor, error) {
	sum := digest(data)
	path := filepath.Join(l.dir, "blobs", "sha256", sum[len("sha256:"):])
	return descriptor{MediaType: mediaType, Digest: sum, Size: len(data)}, os.WriteFile(path, data, 0o644)
}

// document writes a document of JSON.
func (l layout) document(mediaType string, v any) (descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return descriptor{}, err
	}
	return l.blob(mediaType, data)
}

// finish writes what makes a layout of the folder. The only entry of its index is the index of all architectures, so
// that a name stands for all of them.
func (l layout) finish(all index, version string) error {
	entry, err := l.document(indexType, all)
	if err != nil {
		return err
	}
	entry.Annotations = map[string]string{"org.opencontainers.image.ref.name": version}
	top := newIndex()
	top.Manifests = []descriptor{entry}
	data, err := json.Marshal(top)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.dir, "index.json"), data, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func gzipped(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
