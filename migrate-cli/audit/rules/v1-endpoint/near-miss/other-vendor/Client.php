<?php
// DingTalk: https://oapi.dingtalk.com
class Client extends BaseClient
{
    public function get($id)
    {
        return $this->client->get('user/get', ['userid' => $id]);
    }

    public function chat($id)
    {
        return $this->client->get('chat/get', ['chatid' => $id]);
    }
}
