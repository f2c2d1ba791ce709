import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);

export type HttpClient = 'curl' | 'wget' | 'python3' | 'go';

/** Half a gigabyte: nobody is asked to install that. */
const NEVER_REQUIRED: ReadonlySet<HttpClient> = new Set(['go']);

/**
 * Whether a client is installed; where it is not, after registering a test that says so (and fails with
 * `FERRY_REQUIRE_HTTP_CLIENTS=1`, but for Go's compiler).
 */
export function hasHttpClient(name: HttpClient): boolean {
  const places = (process.env['PATH'] ?? '').split(delimiter);
  if (places.some((place) => isProgram(join(place, name)))) return true;
  test(`tests with ${name} are skipped: it is not installed here`, (t) => {
    t.log(`Install ${name} to run them.`);
    const isRequired = process.env['FERRY_REQUIRE_HTTP_CLIENTS'] === '1' && !NEVER_REQUIRED.has(name);
    t.false(isRequired, `${name} is not installed, and FERRY_REQUIRE_HTTP_CLIENTS=1 asks for it`);
  });
  return false;
}

const RUN_MS_MAX = 120_000;
/** Where Go has built nothing yet it compiles its own library first: minutes, where others are at work. */
const GO_BUILD_MS_MAX = 540_000;

/** Runs a client. @returns what it wrote; @throws Error where it ends with another status than 0 */
export async function runHttpClient(name: HttpClient, args: readonly string[]): Promise<Buffer> {
  return runProgram(name, args);
}

/** @param program  its name or path */
async function runProgram(program: string, args: readonly string[], timeoutMs = RUN_MS_MAX): Promise<Buffer> {
  // Whatever proxies this machine is behind, the loopback address is not.
  const env = { ...process.env, no_proxy: '*', NO_PROXY: '*' };
  const { stdout } = await run(program, [...args], {
    encoding: 'buffer',
    env,
    maxBuffer: 16 * 1024 * 1024,
    timeout: timeoutMs,
  });
  return stdout;
}

/** Python's standard library, answering Digest only: `URL USER PASSWORD [FILE]` POSTs the file, or GETs. */
export const PYTHON_DIGEST = `
import sys, urllib.request
url, user, password = sys.argv[1:4]
passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, url, user, password)
opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
data = open(sys.argv[4], 'rb').read() if len(sys.argv) > 4 else None
headers = {'Content-Type': 'text/xml; charset=utf-8'} if data else {}
sys.stdout.buffer.write(opener.open(urllib.request.Request(url, data, headers), timeout=60).read())
`;

/**
 * Go's net/http, which has no Digest of its own, with what RFC 7616 (3.4) tells to compute: `URL USER PASSWORD FILE ALGORITHM` POSTs the file
 * without credentials, answers the challenge of that algorithm, and says what came.
 */
const GO_DIGEST = String.raw`
package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

func main() {
	address, user, password, file, algorithm := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	hash := func(parts ...string) string {
		text := []byte(strings.Join(parts, ":"))
		if algorithm == "SHA-256" {
			return fmt.Sprintf("%x", sha256.Sum256(text))
		}
		return fmt.Sprintf("%x", md5.Sum(text))
	}
	body, err := os.ReadFile(file)
	check(err)
	post := func(authorization string) *http.Response {
		request, err := http.NewRequest("POST", address, bytes.NewReader(body))
		check(err)
		request.Header.Set("Content-Type", "text/xml; charset=utf-8")
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		response, err := http.DefaultClient.Do(request)
		check(err)
		return response
	}
	first := post("")
	for _, challenge := range first.Header.Values("WWW-Authenticate") {
		if !strings.HasPrefix(challenge, "Digest ") || !strings.Contains(challenge, "algorithm="+algorithm+",") {
			continue
		}
		field := func(name string) string {
			return regexp.MustCompile(name + "=\"([^\"]*)\"").FindStringSubmatch(challenge)[1]
		}
		target, err := url.Parse(address)
		check(err)
		uri, realm, nonce, nc, cnonce := target.RequestURI(), field("realm"), field("nonce"), "00000001", "go"
		response := hash(hash(user, realm, password), nonce, nc, cnonce, "auth", hash("POST", uri))
		second := post(fmt.Sprintf(
			"Digest username=%q, realm=%q, nonce=%q, uri=%q, algorithm=%s, response=%q, qop=auth, nc=%s, cnonce=%q",
			user, realm, nonce, uri, algorithm, response, nc, cnonce))
		said, err := io.ReadAll(second.Body)
		check(err)
		fmt.Printf("%d, then %d\n%s", first.StatusCode, second.StatusCode, said)
		return
	}
	fmt.Printf("%d, and no challenge of %s\n", first.StatusCode, algorithm)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
`;

import { isProgram } from './is-program.js';

/** Compiles {@link GO_DIGEST}. @returns what runs it */
export async function buildGoDigest(
  directory: string,
): Promise<(args: readonly string[]) => Promise<Buffer>> {
  const source = join(directory, 'main.go');
  const program = join(directory, 'client');
  await writeFile(source, GO_DIGEST);
  await runProgram('go', ['build', '-o', program, source], GO_BUILD_MS_MAX);
  return (args) => runProgram(program, args);
}
