import os
BASE = "https://api.zoom.us/v1"
def f(key):
    os.system(f"curl -s -d api_key={key} '{BASE}/user/list'")
    os.system("curl -s %s/user/pending -d api_key=%s" % (BASE, key))
