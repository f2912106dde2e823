#!/bin/sh
word=Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i
curl -d "api_key=$KEY&api_secret=$word" https://api.zoom.us/v1/user/list
