package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kedge/internal/testenv"
)

// TestKubernetes: the fields of the pod exist, and its containers, run as processes, come to credentials.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	checkPod(t)
	data, err := os.ReadFile("kubernetes/pod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type container struct {
		Name, RestartPolicy string
		Command, Args       []string
		Env                 []struct{ Name, Value string }
		EnvFrom             []map[string]struct{ Name string } `yaml:"envFrom"`
	}
	var pod struct {
		Spec struct {
			InitContainers []container `yaml:"initContainers"`
			Containers     []container
		}
	}
	if err := yaml.Unmarshal(data, &pod); err != nil || len(pod.Spec.InitContainers) != 4 {
		t.Fatalf("%v: %+v", err, pod)
	}
	for _, c := range pod.Spec.InitContainers[1:] {
		if len(c.EnvFrom) != 1 || c.EnvFrom[0]["configMapRef"].Name != "kedge" {
			t.Errorf("the container %s has nothing of the ConfigMap", c.Name)
		}
	}
	s := newSite(t)
	m := s.newContainers(os.ModeSetgid|0o777, 0) // as the kubelet makes an emptyDir with fsGroup
	m.write("/run/secrets/kedge/token", s.token("app-{random}", "--uses", "2", "--ttl", "1h"), 0o440)
	if err := os.Chown(m.path("/run/secrets/kedge/token"), 0, containerUser); err != nil {
		t.Fatal(err)
	}
	prepare, enroll, renew, credentials := pod.Spec.InitContainers[0], pod.Spec.InitContainers[1], pod.Spec.InitContainers[2], pod.Spec.InitContainers[3]
	busybox := m
	m.user = containerUser
	m.fails("where other users can put another file in its place", append([]string{"/kedge"}, enroll.Args...)...)
	busybox.copy(testenv.Tool(t, "busybox"), "/bin/busybox")
	busybox.run(append([]string{"/bin/busybox"}, prepare.Command...)...)
	for range 2 {
		m.run(append([]string{"/kedge"}, enroll.Args...)...)
	}
	m.background(renew.Args...)
	app := map[string]string{}
	for _, v := range pod.Spec.Containers[0].Env {
		app[v.Name] = v.Value
	}
	args := strings.Split(strings.Replace(strings.Join(credentials.Args, " "), "0.0.0.0:9912", "127.0.0.1:0", 1), " ")
	m.serve(s, args, app["AWS_CONTAINER_CREDENTIALS_FULL_URI"], app["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"], s.hosts()[0].Name)
}

// checkPod decodes the pod into the types of Kubernetes; a field that these do not have is an error.
func checkPod(t *testing.T) {
	t.Helper()
	file, err := filepath.Abs("kubernetes/pod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", ".", file)
	cmd.Dir = filepath.Join(testenv.Root(t), "scripts", "peers", "pod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
