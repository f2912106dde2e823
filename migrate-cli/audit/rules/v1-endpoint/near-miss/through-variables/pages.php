<?php
// Pages of the program, beside a link to Zoom.
class Pages
{
    function people()
    {
        $page = 'user/list';
        log_debug($page);
        redirect($page);
    }

    function rooms($old)
    {
        $page = $old ? 'meeting/list' : 'meeting/create';
        return $this->render($page);
    }
}
