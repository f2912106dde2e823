//! scratch
fn main(){ let a:Vec<String>=std::env::args().collect(); let src=std::fs::read(&a[2]).unwrap();
let l:tree_sitter::Language=match a[1].as_str(){"php"=>tree_sitter_php::LANGUAGE_PHP.into(),"py"=>tree_sitter_python::LANGUAGE.into(),"rb"=>tree_sitter_ruby::LANGUAGE.into(),"js"=>tree_sitter_javascript::LANGUAGE.into(),"go"=>tree_sitter_go::LANGUAGE.into(),"java"=>tree_sitter_java::LANGUAGE.into(),"cs"=>tree_sitter_c_sharp::LANGUAGE.into(),"swift"=>tree_sitter_swift::LANGUAGE.into(),"m"=>tree_sitter_objc::LANGUAGE.into(),"ps1"=>tree_sitter_powershell::LANGUAGE.into(),"sh"=>tree_sitter_bash::LANGUAGE.into(),_=>tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()};
let mut p=tree_sitter::Parser::new();p.set_language(&l).unwrap();let t=p.parse(&src,None).unwrap();
println!("{}",t.root_node().to_sexp());}
