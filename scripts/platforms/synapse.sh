# Synapse, the reference implementation of a Matrix homeserver, from PyPI: versions are in
# synapse/requirements.txt. It is installed into an environment of its own in the cache and filled once; tests
# start copies of that.

start_synapse() {
  local folder=$cache/synapse wanted=$PWD/scripts/platforms/synapse made
  made=$(cat "$wanted"/* | sha256sum)
  if [ "$(cat "$folder/made" 2>/dev/null)" != "$made" ]; then
    install_synapse "$folder" "$wanted" || fail "Synapse cannot be installed by pip: name one by ATLAS_TEST_SYNAPSE"
    say "filling Synapse, once"
    rm -rf "$folder/early" "$folder/late"
    mkdir -p "$folder/early"
    cp "$wanted"/*.yaml "$folder/early"
    fill_synapse "$folder" early
    cp -r "$folder/early" "$folder/late"
    fill_synapse "$folder" late
    echo "$made" >"$folder/made"
  fi
  echo "export ATLAS_TEST_SYNAPSE=$folder" >>"$state/env"
}

install_synapse() {
  local folder=$1 wanted=$2
  cmp -s "$wanted/requirements.txt" "$folder/installed" && return
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_package python3 python3-venv
  say "installing Synapse into $folder"
  rm -rf "$folder" && mkdir -p "$folder"
  { python3 -m venv "$folder/venv" &&
    "$folder/venv/bin/pip" install -q --disable-pip-version-check -r "$wanted/requirements.txt"; } >&2 || return 1
  cp "$wanted/requirements.txt" "$folder/installed"
}

fill_synapse() {
  local python=$1/venv/bin/python folder=$1/$2 port
  port=$(free_port)
  echo "listeners: [{port: $port, bind_addresses: [127.0.0.1], type: http, resources: [{names: [client]}]}]" \
    >"$folder/listener.yaml"
  (
    cd "$folder"
    [ -e signing.key ] || "$python" -m synapse._scripts.generate_signing_key -o signing.key
    exec setsid "$python" -m synapse.app.homeserver -c homeserver.yaml -c listener.yaml </dev/null >out.log 2>&1
  ) &
  echo $! >"$state/synapse.pid"
  until_answers Synapse 60 http_answers "$port" /health
  (cd "$folder" && "$python" "$OLDPWD/scripts/platforms/synapse/seed.py" "http://127.0.0.1:$port" "$2") >&2 ||
    fail "Synapse cannot be filled: see $folder"
  kill $!
  wait $! || true
  rm "$state/synapse.pid"
}

http_answers() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3 && timeout 2 head -n 1 <&3 | grep -q ' 200'
}
