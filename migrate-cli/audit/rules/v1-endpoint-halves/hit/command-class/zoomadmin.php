<?php
class zoomadmin
{
    const BASE_URL = 'https://api.zoom.us/v1';

    private function populate()
    {
        $this->commands['user_list'] = new command('user', 'list');
        $this->commands['user_get'] = new command('user', 'get', false);
    }

    private function url($command)
    {
        return join('/', array(self::BASE_URL, $command->category, $command->name));
    }
}
