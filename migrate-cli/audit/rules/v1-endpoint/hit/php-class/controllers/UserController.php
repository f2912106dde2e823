<?php
class UserController extends Controller
{
    public function index()
    {
        $this->load->view('user/list');
        return redirect('user/create');
    }
}
