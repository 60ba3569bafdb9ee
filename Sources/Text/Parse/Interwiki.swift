// Interwiki: prefixes that lead to another language or another site, as Wikimedia's interwiki map has them.

enum Interwiki {
    /// Codes of Wikipedia's language editions. `[[fr:Titre]]` is the page's translation and shows nothing.
    static let languages: [Substring] = """
        aa ab ace ady af ak als alt am ami an ang ann anp ar arc ary arz as ast atj av avk awa ay az azb ba ban bar \
        bat-smg bbc bcl bdr be be-tarask be-x-old bew bg bh bi bjn blk bm bn bo bpy br bs btm bug bxr ca cbk-zam cdo ce \
        ceb ch cho chr chy ckb co cr crh cs csb cu cv cy da dag de dga din diq dsb dtp dty dv dz ee el eml en eo es et \
        eu ext fa fat ff fi fiu-vro fj fo fon fr frp frr fur fy ga gag gan gcr gd gl glk gn gom gor got gpe gsw gu guc \
        gur guw gv ha hak haw he hi hif ho hr hsb ht hu hy hyw hz ia iba id ie ig igl ii ik ilo inh io is it iu ja jam \
        jbo jv ka kaa kab kaj kbd kbp kcg kg kge ki kj kk kl km kn knc ko koi kr krc ks ksh ku kus kv kw ky la lad lb \
        lbe lez lfn lg li lij lld lmo ln lo lrc lt ltg lv lzh mad mai map-bms mdf mg mh mhr mi min mk ml mn mni mnw mo \
        mos mr mrj ms mt mus mwl my myv mzn na nah nan nap nds nds-nl ne new ng nia nl nn no nov nqo nr nrm nso nup nv \
        ny oc olo om or os pa pag pam pap pcd pcm pdc pfl pi pih pl pms pnb pnt ps pt pwn qu rm rmy rn ro roa-rup \
        roa-tara rsk ru rue rup rw sa sah sat sc scn sco sd se sg sgs sh shi shn si simple sk skr sl sm smn sn so sq sr \
        srn ss st stq su sv sw syl szl szy ta tay tcy tdd te tet tg th ti tk tl tly tn to tpi tr trv ts tt tum tw ty \
        tyv udm ug uk ur uz ve vec vep vi vls vo vro wa war wo wuu xal xh xmf yi yo yue za zea zgh zh zh-classical \
        zh-cn zh-min-nan zh-tw zh-yue zu
        """.split(separator: " ")

    /// Prefixes of other sites. `[[wikt:word|label]]` shows its label and is no link of this wiki.
    static let sites: [Substring] = """
        w wikt wiktionary s wikisource q wikiquote b wikibooks n wikinews v wikiversity voy wikivoyage species \
        wikispecies c commons d wikidata m meta mw mediawikiwiki mediazilla phab phabricator bugzilla doi pmid rfc isbn \
        foundation wmf wikimania incubator outreach toollabs tools toolforge google wikia memoryalpha imdbname \
        imdbtitle arxiv oeis gutenberg citeseer jstor hdl issn oclc urn wikitech f wikifunctions
        """.split(separator: " ")
}
