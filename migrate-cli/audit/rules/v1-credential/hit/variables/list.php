<?php
class Directory
{
    private $word = 'Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i';

    function all($key)
    {
        return post('https://api.zoom.us/v1/user/list', array('api_key' => $key, 'api_secret' => $this->word));
    }
}
